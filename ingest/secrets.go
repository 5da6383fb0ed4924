package ingest

import (
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/hex"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ticketrail/ticketrail/domain/provider"
)

// SecretUse tells when a secret of a source last fitted a request, so that it is seen
// when an old one is used no more.
type SecretUse struct {
	// Fingerprint is six hexadecimal digits that the secret is stretched to: the same
	// wherever it is configured, enough to tell a few apart, and dear to try guesses against.
	Fingerprint string
	// LastMatched is when it last fitted; zero where it has not since the start.
	LastMatched time.Time
}

// secret is a secret at work. It is alone in a list, as providers want them.
type secret struct {
	alone       []string
	fingerprint string
	matched     atomic.Int64 // nanoseconds since the Unix epoch; 0: not yet
	shown       prometheus.Gauge
}

func newSecrets(s Source, m *sourceMetrics) []*secret {
	secrets := make([]*secret, len(s.Secrets))
	for i, text := range s.Secrets {
		fingerprint := fingerprintOf(text)
		secrets[i] = &secret{alone: []string{text}, fingerprint: fingerprint, shown: m.secrets.WithLabelValues(fingerprint)}
	}
	return secrets
}

// stretched is how often a secret is hashed for its fingerprint: some milliseconds of a
// start, and as much for each guess of who tries a long list.
const stretched = 20_000

func fingerprintOf(secret string) string {
	key, err := pbkdf2.Key(sha256.New, secret, []byte("fingerprint of a secret"), stretched, sha256.Size)
	if err != nil {
		panic(err) // of lengths, which are fixed
	}
	return hex.EncodeToString(key[:3])
}

// verifyHead checks what there is to check before the body is read.
func (s *source) verifyHead(r *provider.Request) error {
	return s.verify(r, s.Provider.VerifyHead, !s.Provider.SignsBody())
}

// verifyBody checks the rest.
func (s *source) verifyBody(r *provider.Request) error {
	if !s.Provider.SignsBody() {
		return nil // all was checked with the head
	}
	return s.verify(r, s.Provider.Verify, true)
}

// verify tries every secret, whichever fits, so that the time it takes does not tell
// which. Where that is the whole check, what fits was used.
func (s *source) verify(r *provider.Request, by func(*provider.Request, []string) error, whole bool) (err error) {
	fits := false
	err = provider.ErrCredentialWrong // without a secret nothing fits
	for _, secret := range s.secrets {
		unfit := by(r, secret.alone)
		if unfit == nil {
			fits = true
			if whole {
				secret.use(r.At)
			}
			continue
		}
		err = unfit
	}
	if fits {
		return nil
	}
	return err
}

func (s *secret) use(at time.Time) {
	s.matched.Store(at.UnixNano())
	s.shown.Set(float64(at.UnixNano()) / float64(time.Second))
}

// Secrets tells of the secrets of a source, in their order; of none where there is no such source.
func (h *Handler) Secrets(source string) []SecretUse {
	s := h.sources[source]
	if s == nil {
		return nil
	}
	uses := make([]SecretUse, len(s.secrets))
	for i, secret := range s.secrets {
		uses[i].Fingerprint = secret.fingerprint
		if at := secret.matched.Load(); at != 0 {
			uses[i].LastMatched = time.Unix(0, at)
		}
	}
	return uses
}
