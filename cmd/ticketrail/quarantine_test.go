package main_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/api"
)

// Who decides about many decides about what they were shown: a forged request that
// comes after the plan, before anything is done, stays. It does not take the place
// of one that somebody else has discarded meanwhile either.
func TestADecisionIsAboutWhatWasShown(t *testing.T) {
	t.Parallel()
	p := start(t, filepath.Join(t.TempDir(), "data"))
	require.NoError(t, p.forge())
	require.NoError(t, p.forge())
	server, err := url.Parse(p.addresses.API)
	require.NoError(t, err)
	proxy := httputil.NewSingleHostReverseProxy(server)
	var planned sync.Once
	proxy.ModifyResponse = func(r *http.Response) (err error) {
		if strings.HasSuffix(r.Request.URL.Path, "/discard") {
			planned.Do(func() { err = errors.Join(p.forge(), p.discard("r-1")) }) // its plan is on the way back
		}
		return err
	}
	between := httptest.NewServer(proxy)
	t.Cleanup(between.Close)

	elsewhere := &process{data: t.TempDir()}
	answer := elsewhere.run(t, "quarantine", "discard", "--source", "ordatic", "--reason", "forged",
		"--api-listen", strings.TrimPrefix(between.URL, "http://"))
	require.Regexp(t, `(?m)^discarded +1$`, answer)
	var left api.QuarantineList
	p.get(t, "/v1/quarantine", &left)
	require.Len(t, left.Entries, 1)
	require.Equal(t, "r-3", left.Entries[0].ID)
}

// forge sends a request that nobody signed, which is kept by the time it is refused.
func (p *process) forge() error {
	return post(p.addresses.Ingest+"/webhooks/ordatic", `{}`, http.StatusUnauthorized)
}

// discard is what another operator decides.
func (p *process) discard(id string) error {
	return post(p.addresses.API+"/v1/quarantine/"+id+"/discard", `{"reason":"seen"}`, http.StatusOK)
}

func post(url, body string, want int) error {
	response, err := http.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		return err
	}
	if response.StatusCode != want {
		err = errors.New(response.Status)
	}
	return errors.Join(err, response.Body.Close())
}
