package dashboard_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/api/dashboard"
	"github.com/ticketrail/ticketrail/domain"
)

const (
	// maxFirstLoad is what a first visit may take, compressed, in bytes: a second on a
	// slow line.
	maxFirstLoad = 60 << 10
	// maxLines is where a script has to be split.
	maxLines = 400
)

// links are the addresses that the page names.
var links = regexp.MustCompile(`(?:href|src)="([^"]+)"`)

// answer is what the dashboard answers.
type answer struct {
	Status int
	Header http.Header
	Body   string
}

// get asks the dashboard; headers are "Name: value".
func get(t *testing.T, handler http.Handler, path string, headers ...string) answer {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		request.Header.Add(name, value)
	}
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, request)
	return answer{recorder.Code, recorder.Header(), recorder.Body.String()}
}

// The page and all that it names comes in one answer each, small enough for a slow line.
func TestTheFirstLoadIsSmall(t *testing.T) {
	t.Parallel()
	d := dashboard.New("v1.2.3")
	page := get(t, d, "/").Body
	sum := len(get(t, d, "/", "Accept-Encoding: gzip").Body)
	asked := map[string]bool{}
	for _, link := range links.FindAllStringSubmatch(page, -1) {
		if asked[link[1]] {
			continue
		}
		asked[link[1]] = true
		answer := get(t, d, link[1], "Accept-Encoding: br, gzip")
		require.Equal(t, http.StatusOK, answer.Status, link[1])
		require.Equal(t, "gzip", answer.Header.Get("Content-Encoding"))
		sum += len(answer.Body)
	}
	t.Logf("the first load is %d bytes", sum)
	require.Less(t, sum, maxFirstLoad)
}

// What the browser may run is what is embedded: no text of the page is a script but the
// import map, which the policy names by its hash, and no text can become one.
func TestThePolicyIsStrict(t *testing.T) {
	t.Parallel()
	answer := get(t, dashboard.New("v1.2.3"), "/")
	page, policy := answer.Body, answer.Header.Get("Content-Security-Policy")
	for _, demanded := range []string{"default-src 'none';", "style-src 'self';", "connect-src 'self';", "frame-ancestors 'none'", "base-uri 'none'", "require-trusted-types-for 'script'", "trusted-types 'none'"} {
		require.Contains(t, policy, demanded)
	}
	require.NotContains(t, policy, "unsafe")

	inline := regexp.MustCompile(`(?s)<script([^>]*)>(.*?)</script>`).FindAllStringSubmatch(page, -1)
	for _, script := range inline {
		if script[2] == "" {
			continue
		}
		require.Equal(t, ` type="importmap"`, script[1])
		sum := sha256.Sum256([]byte(script[2]))
		require.Contains(t, policy, "script-src 'self' 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"';")
	}
	require.NotContains(t, page, "<style")
	require.NotRegexp(t, `\son\w+=|\sstyle=`, page)
}

// A file under a path with a hash may be kept for ever; the page is asked for again each
// time, and costs nothing where it is still the same.
func TestCaching(t *testing.T) {
	t.Parallel()
	d := dashboard.New("v1.2.3")
	page := get(t, d, "/")
	require.Equal(t, "no-cache", page.Header.Get("Cache-Control"))
	script := links.FindStringSubmatch(page.Body)[1]
	require.Regexp(t, `^/dashboard/[0-9a-f]{16}/`, script)
	require.Equal(t, "public, max-age=31536000, immutable", get(t, d, script).Header.Get("Cache-Control"))
	for _, encoding := range []string{"identity", "gzip"} {
		etag := get(t, d, "/", "Accept-Encoding: "+encoding).Header.Get("ETag")
		again := get(t, d, "/", "Accept-Encoding: "+encoding, "If-None-Match: "+etag)
		require.Equal(t, http.StatusNotModified, again.Status)
		require.Empty(t, again.Body)
		require.Equal(t, "Accept-Encoding", again.Header.Get("Vary"))
	}
}

// Who does not take gzip gets the same bytes without it.
func TestCompression(t *testing.T) {
	t.Parallel()
	d := dashboard.New("v1.2.3")
	plain := get(t, d, "/").Body
	for accepted, compressed := range map[string]bool{
		"gzip": true, "deflate, GZIP;q=0.5": true, "br , gzip": true,
		"": false, "gzip;q=0": false, "gzip;q=0.0": false, "br": false, "x-gzip": false,
	} {
		answer := get(t, d, "/", "Accept-Encoding: "+accepted)
		require.Equal(t, compressed, answer.Header.Get("Content-Encoding") == "gzip", accepted)
		text := answer.Body
		if compressed {
			text = unzip(t, text)
		}
		require.Equal(t, plain, text)
	}
}

func unzip(t *testing.T, text string) string {
	t.Helper()
	reader, err := gzip.NewReader(strings.NewReader(text))
	require.NoError(t, err)
	uncompressed, err := io.ReadAll(reader)
	require.NoError(t, err)
	return string(uncompressed)
}

// Nothing is served but what the page is made of.
func TestNothingElseIsServed(t *testing.T) {
	t.Parallel()
	d := dashboard.New("v1.2.3")
	base, _, _ := strings.Cut(links.FindStringSubmatch(get(t, d, "/").Body)[1], "icon.svg")
	for _, path := range []string{"/index.html", base, base + "index.html", base + "lib/SHA256SUMS", base + "lib/README.md", base + "lib/scalar.js.gz", base + "docs/index.html", base + "../dashboard.go", "/dashboard/0000000000000000/app/main.js"} {
		require.False(t, d.Has(path), path)
		require.Equal(t, http.StatusNotFound, get(t, d, path).Status)
	}
	require.True(t, d.Has("/"))
	require.True(t, d.Has(base+"app/main.js"))
}

// The modules of others are the very bytes that were published, each with its licence.
func TestVendoredModulesAreWhatTheirSumsSay(t *testing.T) {
	t.Parallel()
	sums, err := os.ReadFile("static/lib/SHA256SUMS")
	require.NoError(t, err)
	listed := map[string]string{}
	for line := range strings.Lines(string(sums)) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		listed[name] = sum
	}
	entries, err := os.ReadDir("static/lib")
	require.NoError(t, err)
	for _, entry := range entries {
		if entry.Name() == "README.md" || entry.Name() == "SHA256SUMS" {
			continue
		}
		content, err := os.ReadFile(filepath.Join("static/lib", entry.Name()))
		require.NoError(t, err)
		require.Equal(t, listed[entry.Name()], fmt.Sprintf("%x", sha256.Sum256(content)), entry.Name())
		delete(listed, entry.Name())
	}
	require.Empty(t, listed)
	notes, err := os.ReadFile("static/lib/README.md")
	require.NoError(t, err)
	for _, entry := range entries {
		if module := entry.Name(); strings.Contains(module, "js") {
			row := regexp.MustCompile("(?m)^\\|.*`" + regexp.QuoteMeta(module) + "`.*`(\\w+\\.LICENSE)` \\|$").FindSubmatch(notes)
			require.NotNil(t, row, "%s has no licence", module)
			require.FileExists(t, "static/lib/"+string(row[1]))
		}
	}
}

// Scripts keep the manners of the rest: short, with a word on what each is for, and with
// no way in for markup.
func TestScriptsAreShortAndSayWhatTheyAreFor(t *testing.T) {
	t.Parallel()
	require.NoError(t, filepath.WalkDir("static/app", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(name)
		require.LessOrEqual(t, bytes.Count(content, []byte("\n")), maxLines, "%s is too long: split it", name)
		require.True(t, bytes.HasPrefix(content, []byte("/**")), "%s does not say what it is for", name)
		for _, word := range []string{"inner" + "HTML", "dangerously" + "SetInnerHTML", "eval(", "TO" + "DO", "console."} {
			require.NotContains(t, string(content), word, name)
		}
		return err
	}))
}

// The states and the steps that are drawn are those of the fold.
func TestTheDiagramIsThatOfTheFold(t *testing.T) {
	t.Parallel()
	layout, err := os.ReadFile("static/app/pages/order/layout.js")
	require.NoError(t, err)
	drawn := map[string]bool{}
	for _, edge := range regexp.MustCompile(`\{ from: '([^']+)', to: '([^']+)' \}`).FindAllSubmatch(layout, -1) {
		drawn[string(edge[1])+" "+string(edge[2])] = true
	}
	_, exits, _ := strings.Cut(string(layout), "export const exits = [")
	exits, _, _ = strings.Cut(exits, "]")
	for _, exit := range regexp.MustCompile(`'([^']+)'`).FindAllStringSubmatch(exits, -1) {
		drawn["open "+exit[1]] = true
	}
	folded := map[string]bool{}
	for _, edge := range regexp.MustCompile(`(\w+) --> (\w+):`).FindAllStringSubmatch(domain.Diagram(), -1) {
		folded[strings.ReplaceAll(edge[1]+" "+edge[2], "_", "-")] = true
	}
	require.Equal(t, folded, drawn)

	states, err := os.ReadFile("static/app/core/states.js")
	require.NoError(t, err)
	for _, state := range domain.States() {
		require.Contains(t, string(states), "'"+state.String()+"'")
		require.Regexp(t, regexp.QuoteMeta(state.String())+`'?: \{ x:`, string(layout))
	}
}

// Whoever meets an oddity is told what it means.
func TestEveryAnomalyIsExplained(t *testing.T) {
	t.Parallel()
	evidence, err := os.ReadFile("static/app/pages/order/evidence.js")
	require.NoError(t, err)
	for _, code := range []string{
		domain.AnomalyStatusOutsideContract, domain.AnomalyUnknownStatus, domain.AnomalyContradictingOutcomes, domain.AnomalyWebhookIDReused,
		domain.AnomalyUnreadableValue, domain.AnomalyProofNotBase64, domain.AnomalyProofNotPicture, domain.AnomalyUnknownEvent,
	} {
		require.Contains(t, string(evidence), "'"+code+"': '")
	}
}
