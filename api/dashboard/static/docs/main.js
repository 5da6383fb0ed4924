/**
 * Shows the OpenAPI document of this server. What Scalar offers of its maker's services is
 * off: nothing is asked of another host, and nothing is told to one.
 */
globalThis.Scalar.createApiReference('#reference', {
  url: '/openapi.json',
  withDefaultFonts: false,
  telemetry: false,
  agent: { disabled: true },
  mcp: { disabled: true },
  hideClientButton: true,
  showDeveloperTools: 'never',
  persistAuth: false,
});
