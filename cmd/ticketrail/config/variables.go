package config

import (
	"regexp"
	"slices"
	"strings"

	"github.com/ticketrail/ticketrail/domain"
)

// serviceLink is how Kubernetes tells every container of a service that is named
// ticketrail: nobody has set these variables, and nobody can mend them.
var serviceLink = regexp.MustCompile(`^[A-Z0-9_]+(_SERVICE_(HOST|PORT)(_[A-Z0-9_]+)?=|_PORT_[0-9]+_(TCP|UDP|SCTP)(_[A-Z]+)?=|_PORT=[a-z]+://)`)

// checkVariables refuses a variable that begins with Prefix and means nothing: it
// is most likely mistyped, and what it was to set would silently keep its default.
// One that the file itself refers to means something.
func checkVariables(_ *Config, d *decoder, in Inputs) error {
	known := slices.Clone(in.Variables)
	for _, key := range Keys() {
		known = append(known, Variable(key))
	}
	for _, entry := range in.Environ {
		name, value, _ := strings.Cut(entry, "=")
		unknown := strings.HasPrefix(name, Prefix) && value != "" && !slices.Contains(known, name)
		if unknown && !d.referenced[name] && !serviceLink.MatchString(entry) {
			return &Error{Origin: name, Problem: "there is no such variable", Mend: "did you mean " + domain.Nearest(name, known) + "? If not, unset it"}
		}
	}
	return nil
}
