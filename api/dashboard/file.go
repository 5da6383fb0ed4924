package dashboard

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
)

// kinds are the media types of what is served, by the ends of the names; the licences
// and the notes beside the scripts are in the program and are not served.
var kinds = map[string]string{
	".css":  "text/css; charset=utf-8",
	".html": "text/html; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".mjs":  "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
}

// packed ends the names of files that are embedded compressed, for their size.
const packed = ".gz"

func kindOf(name string) string { return kinds[path.Ext(strings.TrimSuffix(name, packed))] }

// file is one answer.
type file struct {
	kind, etag string
	caching    string
	policy     string // empty: that of the listener
	content    func() []byte
	compressed func() []byte
}

// newAsset is for what never changes under its path.
func newAsset(name string, content []byte) *file {
	f := newFile(name, content, "public, max-age=31536000, immutable")
	if strings.HasSuffix(name, packed) {
		f.content, f.compressed = func() []byte { return decompress(content) }, f.content
	}
	return f
}

func newFile(name string, content []byte, caching string) *file {
	sum := sha256.Sum256(content)
	return &file{
		kind:       kindOf(name),
		etag:       hex.EncodeToString(sum[:16]),
		caching:    caching,
		content:    func() []byte { return content },
		compressed: sync.OnceValue(func() []byte { return compress(content) }),
	}
}

// serve answers with the file, compressed where the client takes that. The two have
// ETags of their own, since they are not the same bytes.
func (f *file) serve(w http.ResponseWriter, r *http.Request) {
	content, etag, header := f.content, `"`+f.etag+`"`, w.Header()
	if acceptsGzip(r) {
		content, etag = f.compressed, `"`+f.etag+`-gzip"`
		header.Set("Content-Encoding", "gzip")
	}
	header.Set("Content-Type", f.kind)
	header.Set("Cache-Control", f.caching)
	header.Set("Vary", "Accept-Encoding")
	header.Set("ETag", etag)
	if f.policy != "" {
		header.Set("Content-Security-Policy", f.policy)
	}
	if strings.Contains(r.Header.Get("If-None-Match"), etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	text := content()
	header.Set("Content-Length", strconv.Itoa(len(text)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(text) // an error means that nobody reads any more
	}
}

// acceptsGzip tells whether the client takes gzip: it names it, and not to refuse it.
func acceptsGzip(r *http.Request) bool {
	for coding := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, weight, _ := strings.Cut(strings.TrimSpace(coding), ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			return strings.Trim(weight, " q=0.") != "" || weight == ""
		}
	}
	return false
}

func compress(content []byte) []byte {
	var compressed bytes.Buffer
	w, err := gzip.NewWriterLevel(&compressed, gzip.BestCompression)
	if err == nil {
		_, err = w.Write(content)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		panic(err) // memory takes everything
	}
	return compressed.Bytes()
}

// decompress is for the few that do not take gzip, so what it gives is not kept.
func decompress(compressed []byte) []byte {
	r, err := gzip.NewReader(bytes.NewReader(compressed))
	if err != nil {
		panic(err) // it is embedded, and its sum is tested
	}
	content, err := io.ReadAll(r)
	if err != nil {
		panic(err)
	}
	return content
}
