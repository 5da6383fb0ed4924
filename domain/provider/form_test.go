package provider_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
)

// What a body says does not change with white space around its parts, nor with
// escapes in its texts and names.
func FuzzForm(f *testing.F) {
	for _, p := range provider.All() {
		addBodies(f, p)
	}
	f.Add([]byte(`{"id":"o\\\"1","status":"\\","x":[-1.5e3,{"y":[]},{}],"description":"\\\\\""}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		rewritten, err := rewrite(body)
		if err != nil {
			t.Skip("no JSON that can be read in one way only")
		}
		for _, p := range provider.All() {
			want, wantErr := p.Translate(webhook(p, string(body)))
			other := webhook(p, rewritten)
			other.BodyDigest = domain.DigestBody(body)
			got, err := p.Translate(other)
			require.Equal(t, wantErr, err, "%s %q", p.Name(), body)
			require.Equal(t, unnamed(want), unnamed(got), "%s %q", p.Name(), body)

			identity, err := p.Identify(&provider.Request{Body: body})
			again, errAgain := p.Identify(&provider.Request{Body: []byte(rewritten)})
			require.Equal(t, err, errAgain)
			require.Equal(t, identity, again)
		}
	})
}

// A body is malformed where the library takes it for no JSON that can be read in one way
// only, and nowhere else.
func FuzzMalformed(f *testing.F) {
	for _, p := range provider.All() {
		addBodies(f, p)
	}
	for _, body := range []string{
		``, ` `, `{`, `}`, `{}`, " \t\r\n{}\n ", `{}}`, `{} {}`, `[]`, `[`, `]`, `"`, `""`, `"a`, `1`, `-`, `x`, "\x00", `{"a"`, `{"a":`, `{"a":1`, `{"a":1,`,
		`{"a":1,}`, `{,}`, `{"a" 1}`, `{"a":1 "b":2}`, `{a:1}`, `{1:1}`, `{"a":[1,]}`, `{"a":[,1]}`, `{"a":[1 2]}`, `{"a":[1}`, `{"a":]}`, `{"a":[}]`,
		`{"a":01}`, `{"a":0}`, `{"a":-0}`, `{"a":-}`, `{"a":+1}`, `{"a":1.}`, `{"a":.5}`, `{"a":1.5e}`, `{"a":1.5e+}`, `{"a":1.5E-07}`, `{"a":1e5.5}`, `{"a":--1}`,
		`{"a":nul}`, `{"a":nullx}`, `{"a":null}`, `{"a":true,"b":false}`, `{"a":True}`, `{"a":"\n"}`, "{\"a\":\"\n\"}", "{\"a\":\"\x7f\"}", `{"a":"\q"}`, `{"a":"\"}`,
		`{"a":"\u12"}`, `{"a":"\ud800"}`, "{\"a\":\"\xff\"}", "{\"a\":\"\xc3\"}", `{"a":"é"}`, "{\"\xc3\":1}", `{"é":1,"é":2}`, `{"a":1,"a":2}`, `{"a":1,"\u0061":2}`,
		`{"a":{"a":1},"b":{"a":1}}`, `[{"a":1},{"a":1}]`, `{"a":{"b":1,"b":2}}`, names(32), names(33), names(40), names(40) + "}",
		strings.Replace(names(33), `"32"`, `"31"`, 1), strings.Replace(names(32), `"31"`, `"0"`, 1),
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		_, err := provider.Ordatic{}.Translate(webhook(provider.Ordatic{}, string(body)))
		untranslatable, ok := errors.AsType[*domain.Untranslatable](err)
		if ok && untranslatable.Cause == domain.CauseTooDeep {
			t.Skip("it is not looked at")
		}
		malformed := ok && untranslatable.Cause == domain.CauseMalformed
		require.Equal(t, !jsontext.Value(body).IsValid(), malformed, "%q", body)
	})
}

// names gives an object with so many names.
func names(n int) string {
	var members []string
	for i := range n {
		members = append(members, fmt.Sprintf(`"%d":[]`, i))
	}
	return "{" + strings.Join(members, ",") + "}"
}

// Whatever a field holds that nobody reads, what stands behind it is found.
func FuzzUnreadField(f *testing.F) {
	for _, value := range []string{
		`"\\"`, `"\\\""`, `"}"`, `[]`, `{}`, `[[{"a":"]"}],-1e9,null]`, "[ 1\n,\t\"x\" ]", `"é\ud83d\ude00"`, `0`, `true`, nested(63),
	} {
		f.Add([]byte(value))
	}
	bodies := map[string]string{}
	for _, p := range provider.All() {
		bodies[p.Name()] = string(files(f, filepath.Join(testdata, "webhooks", p.Name()))[typical[p.Name()]])
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		if !jsontext.Value(value).IsValid() {
			t.Skip("no JSON value")
		}
		for _, p := range provider.All() {
			body := webhook(p, bodies[p.Name()])
			want, err := p.Translate(body)
			require.NoError(t, err)

			longer := webhook(p, `{"unread":`+string(value)+`,`+bodies[p.Name()][1:])
			longer.BodyDigest = body.BodyDigest
			got, err := p.Translate(longer)
			var u *domain.Untranslatable
			if errors.As(err, &u) {
				require.Equal(t, domain.CauseTooDeep, u.Cause)
				continue
			}
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
	})
}

// rewrite gives a text as the library reads and writes it, each part on a line of its
// own and every character of a string escaped.
func rewrite(text []byte) (string, error) {
	var lines strings.Builder
	d := jsontext.NewDecoder(bytes.NewReader(text))
	e := jsontext.NewEncoder(&lines, jsontext.WithIndent("\t"), jsontext.PreserveRawStrings(true))
	for {
		kind := d.PeekKind()
		token, err := d.ReadToken()
		switch {
		case errors.Is(err, io.EOF):
			return lines.String(), nil
		case err != nil:
			return "", err
		case kind == jsontext.KindString:
			err = e.WriteValue(escape(token.String()))
		default:
			err = e.WriteToken(token)
		}
		if err != nil {
			return "", err
		}
	}
}

func escape(text string) jsontext.Value {
	var escaped strings.Builder
	for _, unit := range utf16.Encode([]rune(text)) {
		fmt.Fprintf(&escaped, `\u%04x`, unit)
	}
	return jsontext.Value(`"` + escaped.String() + `"`)
}

// unnamed takes from an event the ids that were made of how its elements are written.
func unnamed(event *domain.Event) *domain.Event {
	if event == nil {
		return nil
	}
	for i, refund := range event.Refunds {
		if len(refund.ID) == 32 {
			event.Refunds[i].ID = ""
		}
	}
	for i, payment := range event.Payments {
		if len(payment.ID) == 32 {
			event.Payments[i].ID = ""
		}
	}
	return event
}
