package domain_test

import (
	"maps"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
)

// The same mappings have one text, in whatever order their webhooks came.
func TestMappingsHaveOneText(t *testing.T) {
	t.Parallel()
	one := domain.Mappings("").With("stripe", "b").With("shopify", "a").With("acme", "")
	require.Equal(t, domain.Mappings("acme= shopify=a stripe=b"), one)
	require.Equal(t, one, domain.Mappings("").With("acme", "").With("shopify", "a").With("stripe", "b").With("shopify", "a"))
	require.Equal(t, map[string]string{"acme": "", "shopify": "a", "stripe": "b"}, maps.Collect(one.All()))
	require.Empty(t, maps.Collect(domain.Mappings("").All()))
}
