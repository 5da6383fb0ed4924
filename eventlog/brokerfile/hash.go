package brokerfile

import (
	"crypto/sha256"
	"fmt"

	"github.com/minio/highwayhash"
)

// Hash gives the checksums in a stream's files, each of which has a key of its own. It
// must be used by one goroutine at a time.
type Hash struct {
	key  [sha256.Size]byte
	text []byte // of the last checksum: room for the next one
}

// NewHash gives the hash of a stream's files: of a block where it has a number, and
// of the settings where it is 0.
func NewHash(stream string, block int) *Hash {
	if block > 0 {
		stream = fmt.Sprintf("%s-%d", stream, block)
	}
	return &Hash{key: sha256.Sum256([]byte(stream))}
}

// Sum gives the checksum of some parts, which the files hold little endian. They are put
// together first: to hash each small part by itself takes longer.
func (h *Hash) Sum(parts ...[]byte) uint64 {
	if len(parts) == 1 {
		return highwayhash.Sum64(parts[0], h.key[:])
	}
	h.text = h.text[:0]
	for _, part := range parts {
		h.text = append(h.text, part...)
	}
	return highwayhash.Sum64(h.text, h.key[:])
}
