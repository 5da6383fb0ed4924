package domain

import (
	"iter"
	"slices"
	"strings"
)

// Mappings tell by which mappings webhooks were read, of each provider that is not built
// in and had one: "shopify=9f86d081884c7d65 stripe=2c26b46b68ffc68f", sorted. The digest
// is empty where none was configured, and the webhook could not be read.
type Mappings string

// With gives the mappings with that of one more provider, whose name and digest have
// neither spaces nor equals signs.
func (m Mappings) With(provider, digest string) Mappings {
	entry := provider + "=" + digest
	all := strings.Fields(string(m))
	if slices.Contains(all, entry) {
		return m
	}
	all = append(all, entry)
	slices.Sort(all)
	return Mappings(strings.Join(all, " "))
}

// All gives each provider with the digest of its mapping.
func (m Mappings) All() iter.Seq2[string, string] {
	return func(yield func(provider, digest string) bool) {
		for entry := range strings.FieldsSeq(string(m)) {
			if !yield(cut(entry)) {
				return
			}
		}
	}
}

func cut(entry string) (provider, digest string) {
	provider, digest, _ = strings.Cut(entry, "=")
	return provider, digest
}
