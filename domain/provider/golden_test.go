package provider_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
)

var update = flag.Bool("update", false, "write the golden files anew")

const testdata = "../../testdata"

// Every webhook of the test data says what its golden file says, and every golden
// file has its webhook.
func TestGoldenEvents(t *testing.T) {
	t.Parallel()
	for _, p := range provider.All() {
		webhooks := files(t, filepath.Join(testdata, "webhooks", p.Name()))
		for name, body := range webhooks {
			t.Run(p.Name()+"/"+name, func(t *testing.T) {
				t.Parallel()
				got := describe(t, p, body)
				golden := filepath.Join(testdata, "events", p.Name(), name)
				if *update {
					require.NoError(t, os.MkdirAll(filepath.Dir(golden), 0o755))
					require.NoError(t, os.WriteFile(golden, got, 0o644))
				}
				want, err := os.ReadFile(golden)
				require.NoError(t, err)
				require.Equal(t, string(want), string(got))
			})
		}
		for name := range files(t, filepath.Join(testdata, "events", p.Name())) {
			require.Contains(t, webhooks, name, "a golden file without its webhook")
		}
	}
}

// Every event that a provider publishes has a webhook in the test data, and is told by it.
func TestEveryPublishedEventHasAWebhook(t *testing.T) {
	t.Parallel()
	for _, p := range provider.All() {
		told := map[string]bool{}
		for _, body := range files(t, filepath.Join(testdata, "webhooks", p.Name())) {
			identity, err := p.Identify(&provider.Request{Body: body})
			require.NoError(t, err)
			told[identity.Event] = true
		}
		for _, event := range p.Events() {
			require.True(t, told[event], "%s has no webhook for %s", p.Name(), event)
		}
	}
}

// describe gives what a webhook says as indented JSON.
func describe(t *testing.T, p provider.Provider, body []byte) []byte {
	event, err := p.Translate(webhook(p, string(body)))
	if errors.Is(err, domain.ErrNotAboutOrder) {
		return []byte(`"not about an order"` + "\n")
	}
	require.NoError(t, err)
	text, err := json.Marshal(event, json.OmitZeroStructFields(true), jsontext.WithIndent("  "))
	require.NoError(t, err)
	return append(text, '\n')
}

// files gives the content of each JSON file of a folder, by name.
func files(t testing.TB, folder string) map[string][]byte {
	paths, err := filepath.Glob(filepath.Join(folder, "*.json"))
	require.NoError(t, err)
	contents := make(map[string][]byte, len(paths))
	for _, path := range paths {
		contents[filepath.Base(path)], err = os.ReadFile(path)
		require.NoError(t, err)
	}
	return contents
}

// webhook gives a body as the stream would hold it.
func webhook(p provider.Provider, body string) *domain.Webhook {
	return &domain.Webhook{
		Provider:   p.Name(),
		Source:     p.Name(),
		Body:       []byte(body),
		BodyDigest: domain.DigestBody([]byte(body)),
	}
}
