package main

import (
	"bytes"
	"encoding/json"

	"github.com/ticketrail/ticketrail/domain/provider"
)

// changes are what tools do to a body on its way, each with what is told of it. The
// signature is of the bytes as they were sent.
var changes = []struct {
	told string
	undo func(body []byte) []byte
}{
	{"a line end was added to the body", func(b []byte) []byte { return bytes.TrimRight(b, "\r\n") }},
	{"the line end was taken from the body", func(b []byte) []byte { return append(bytes.Clone(b), '\n') }},
	{"the body was written anew, with other white space", compacted},
	{"the line ends of the body were changed", func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n")) }},
	{"the line ends of the body were changed", func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n")) }},
	{"a byte order mark was put before the body", func(b []byte) []byte { return bytes.TrimPrefix(b, []byte("\ufeff")) }},
}

func compacted(body []byte) []byte {
	var line bytes.Buffer
	if json.Compact(&line, body) != nil {
		return body
	}
	return line.Bytes()
}

// changedBody tells what was done to a body that a signature does not fit, where one of the
// usual changes explains it.
func changedBody(adapter provider.Provider, r *provider.Request, secrets []string) string {
	for _, change := range changes {
		as := *r
		as.Body = change.undo(r.Body)
		if adapter.Verify(&as, secrets) == nil {
			return "; it would if the body were as it was signed: " + change.told
		}
	}
	return ""
}
