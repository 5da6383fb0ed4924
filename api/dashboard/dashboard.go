// Package dashboard is the page that people watch orders on: one document with its
// scripts and styles, embedded in the program as they were written, without a build.
//
// The page is a reader of the API like any other. What it serves itself holds no data,
// so it may be given to everybody whom the listener answers; the page asks its user for
// a token where the API wants one.
//
// # Guarantees
//
// The browser runs nothing but the embedded scripts: no script in the markup but the
// import map, whose hash the policy names, no eval, no other host, and no text that
// becomes markup, since the policy takes that ability from the scripts.
//
// A script or a style is at a path that holds a hash of all of them, and may be kept for
// ever; the page itself is asked for again each time, and names that path.
//
// # The API's documentation
//
// A second page shows the OpenAPI document, by a script of others. Its policy lets that
// script write styles, and ask this server alone.
package dashboard

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"io/fs"
	"net/http"
	"slices"
	"strings"
)

// Prefix is where the scripts and styles are.
const Prefix = "/dashboard/"

// The pages.
const (
	pagePath = "/"
	docsPath = "/docs"
)

//go:embed static
var embedded embed.FS

// Dashboard serves the page and what belongs to it. It is safe for concurrent use.
type Dashboard struct {
	served map[string]*file // by path
}

// New reads what is embedded. The version is that of the program: the page compares it
// with that of the program that answers it later. It panics where the page is not what
// this package expects, which its tests exclude.
func New(version string) *Dashboard {
	files := read()
	base := Prefix + digest(files) + "/"
	d := &Dashboard{served: map[string]*file{}}
	for name, content := range files {
		if name != pageName && name != docsName {
			d.served[base+strings.TrimSuffix(name, packed)] = newAsset(name, content)
		}
	}
	d.served[pagePath] = newPage(version, base, files)
	d.served[docsPath] = newDocs(base, files)
	return d
}

// Has tells whether there is anything at a path.
func (d *Dashboard) Has(urlPath string) bool { return d.served[urlPath] != nil }

// ServeHTTP answers for a path of the dashboard.
func (d *Dashboard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	found := d.served[r.URL.Path]
	if found == nil {
		http.NotFound(w, r)
		return
	}
	found.serve(w, r)
}

// read gives the embedded files that browsers ask for, by their names.
func read() map[string][]byte {
	files := map[string][]byte{}
	err := fs.WalkDir(embedded, "static", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || kindOf(name) == "" {
			return err
		}
		content, err := embedded.ReadFile(name)
		files[strings.TrimPrefix(name, "static/")] = content
		return err
	})
	if err != nil {
		panic(err) // it is in the program's own memory
	}
	return files
}

// digest is over the names and the contents of all files.
func digest(files map[string][]byte) string {
	sum := sha256.New()
	for _, name := range sorted(files, "") {
		one := sha256.Sum256(files[name])
		sum.Write([]byte(name))
		sum.Write(one[:])
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
}

// sorted gives the names that begin with a prefix.
func sorted(files map[string][]byte, prefix string) (names []string) {
	for name := range files {
		if strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// hashSource is a hash as a content security policy writes it.
func hashSource(content []byte) string {
	sum := sha256.Sum256(content)
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}
