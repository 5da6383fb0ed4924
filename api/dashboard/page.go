package dashboard

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"text/template"
)

// The templates of the pages.
const (
	pageName = "index.html"
	docsName = "docs/index.html"
)

// modules are the names under which the scripts import the modules of others.
var modules = map[string]string{
	"htm":                  "lib/htm.mjs",
	"preact":               "lib/preact.mjs",
	"preact/hooks":         "lib/preact-hooks.mjs",
	"@preact/signals":      "lib/signals.mjs",
	"@preact/signals-core": "lib/signals-core.mjs",
	"uplot":                "lib/uplot.mjs",
}

// first and onDemand are the beginnings of names of modules: the page asks for the former
// in advance, but for the latter, since most visits begin with the board and many end
// there.
var (
	first    = []string{"lib/", "app/"}
	onDemand = []string{"lib/uplot", "app/pages/"}
	entry    = "app/pages/board"
)

// policy is what the browser may do: run the scripts of this origin and the import map,
// use its styles, ask its API, and show pictures that a script has fetched with a token.
// No text can be made markup or script.
const policy = "default-src 'none'; script-src 'self' %import-map%; style-src 'self'; img-src 'self' blob:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// docsPolicy is that of the page of the API's documentation. Its script writes styles into
// the page, and no other script; what it shows is this program's own document.
const docsPolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// pageData is what the page is made of. But for the version it is this package's own, so that
// a template for text will do.
type pageData struct {
	Version, Base, ImportMap string
	Styles, Modules          []string
}

// newPage makes the page, which names all that belongs to it, so that the browser asks
// for everything at once.
func newPage(version, base string, files map[string][]byte) *file {
	data := pageData{Version: version, Base: base, ImportMap: importMap(base), Styles: append([]string{"lib/uplot.css"}, sorted(files, "style/")...)}
	for name := range files {
		if isFirst(name) {
			data.Modules = append(data.Modules, name)
		}
	}
	slices.Sort(data.Modules)
	return render(pageName, files, data, strings.ReplaceAll(policy, "%import-map%", hashSource([]byte(data.ImportMap))))
}

// newDocs makes the page of the API's documentation.
func newDocs(base string, files map[string][]byte) *file {
	return render(docsName, files, pageData{Base: base}, docsPolicy)
}

// render makes a page of its template.
func render(name string, files map[string][]byte, data pageData, policy string) *file {
	var content bytes.Buffer
	page := template.Must(template.New(name).Parse(string(files[name])))
	if err := page.Execute(&content, data); err != nil {
		panic(err) // the template is embedded
	}
	made := newFile(name, content.Bytes(), "no-cache")
	made.policy = policy
	return made
}

// isFirst tells whether the page asks for a file in advance, as a module.
func isFirst(name string) bool {
	begins := func(with string) bool { return strings.HasPrefix(name, with) }
	return strings.HasSuffix(name, "js") && slices.ContainsFunc(first, begins) &&
		(begins(entry) || !slices.ContainsFunc(onDemand, begins))
}

func importMap(base string) string {
	imports := map[string]string{}
	for name, file := range modules {
		imports[name] = base + file
	}
	text, err := json.Marshal(map[string]any{"imports": imports})
	if err != nil {
		panic(err) // strings have a form in JSON
	}
	return string(text)
}
