package dashboard

import (
	"bytes"
	"encoding/json"
	"strings"
	"text/template"
)

const pageName = "index.html"

// modules are the names under which the scripts import the modules of others.
var modules = map[string]string{
	"htm":                  "lib/htm.mjs",
	"preact":               "lib/preact.mjs",
	"preact/hooks":         "lib/preact-hooks.mjs",
	"@preact/signals":      "lib/signals.mjs",
	"@preact/signals-core": "lib/signals-core.mjs",
	"uplot":                "lib/uplot.mjs",
}

// onDemand are the modules that most visits never need, and that the page does not ask
// for in advance.
var onDemand = []string{"lib/uplot.mjs", "app/parts/chart.js"}

// policy is what the browser may do: run the scripts of this origin and the import map,
// use its styles, ask its API, and show pictures that a script has fetched with a token.
// No text can be made markup or script.
const policy = "default-src 'none'; script-src 'self' %import-map%; style-src 'self'; img-src 'self' blob:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// pageData is what the page is made of. It is all this package's own, so that a
// template for text will do.
type pageData struct {
	Base, ImportMap string
	Styles, Modules []string
}

// newPage makes the page, which names all that belongs to it, so that the browser asks
// for everything at once.
func newPage(base string, files map[string][]byte) *file {
	data := pageData{Base: base, ImportMap: importMap(base), Styles: sorted(files, "style/")}
	for _, name := range append(sorted(files, "lib/"), sorted(files, "app/")...) {
		if isModule(name) {
			data.Modules = append(data.Modules, name)
		}
	}
	var content bytes.Buffer
	page := template.Must(template.New(pageName).Parse(string(files[pageName])))
	if err := page.Execute(&content, data); err != nil {
		panic(err) // the template is embedded
	}
	made := newFile(pageName, content.Bytes(), "no-cache")
	made.policy = strings.ReplaceAll(policy, "%import-map%", hashSource([]byte(data.ImportMap)))
	return made
}

// isModule tells whether the page asks for a file in advance as a module.
func isModule(name string) bool {
	for _, later := range onDemand {
		if name == later {
			return false
		}
	}
	return strings.HasSuffix(name, "js")
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
