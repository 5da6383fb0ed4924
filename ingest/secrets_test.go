package ingest_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain/provider"
	"github.com/ticketrail/ticketrail/ingest"
)

// Of several secrets it is seen which one fitted last, for whatever proves the sender:
// what is in the head, or a signature of the body. A refused request uses none.
func TestItIsSeenWhichSecretIsInUse(t *testing.T) {
	t.Parallel()
	now := time.Now()
	r := start(t, func(c *ingest.Config) {
		c.Now = func() time.Time { return now }
		for i, s := range c.Sources {
			c.Sources[i].Secrets = []string{secretOf(s.Provider, 1), secretOf(s.Provider, 2)}
		}
	})
	for _, p := range provider.All() {
		r.do(t, r.signedWith(t, p.Name(), secretOf(p, 3), "msg_1", []byte(`{}`)))
		uses := r.handler.Secrets(p.Name())
		require.Len(t, uses, 2)
		require.True(t, uses[0].LastMatched.IsZero() && uses[1].LastMatched.IsZero(), p.Name())
		require.Regexp(t, `^[0-9a-f]{6}$`, uses[0].Fingerprint)
		require.NotEqual(t, uses[0].Fingerprint, uses[1].Fingerprint)

		require.Equal(t, http.StatusOK, r.do(t, r.signedWith(t, p.Name(), secretOf(p, 2), "msg_1", []byte(`{}`))).status)
		uses = r.handler.Secrets(p.Name())
		require.True(t, uses[0].LastMatched.IsZero(), p.Name())
		require.True(t, uses[1].LastMatched.Equal(now), p.Name())
	}
	require.Empty(t, r.handler.Secrets("nobody"))
	count, err := testutil.GatherAndCount(r.registry, "ticketrail_ingest_secret_last_match_timestamp_seconds")
	require.NoError(t, err)
	require.Equal(t, 2*len(provider.All()), count)
}
