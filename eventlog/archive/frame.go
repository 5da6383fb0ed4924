package archive

import (
	"bytes"
	"errors"

	"github.com/klauspost/compress/zstd"
)

// maxGroup bounds what a frame may decompress to, in bytes: a group is a batch of
// webhooks, and the largest batch is far below it.
const maxGroup = 512 << 20

// frameMagic begins every frame of zstd (RFC 8878, section 3.1.1).
var frameMagic = []byte{0x28, 0xb5, 0x2f, 0xfd}

// codec compresses and decompresses single frames. It must be used by one
// goroutine at a time.
type codec struct {
	encoder *zstd.Encoder
	decoder *zstd.Decoder
	packed  []byte // the last frame: room for the next one
}

// keptRoom is how much room is kept for what comes next, in bytes: a group that takes more
// comes seldom.
const keptRoom = 1 << 20

// roomIn gives the room that something has left.
func roomIn(last []byte) []byte {
	if cap(last) > keptRoom {
		return nil
	}
	return last[:0]
}

func newCodec() (*codec, error) {
	encoder, err := zstd.NewWriter(nil,
		zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(true), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxGroup))
	return &codec{encoder: encoder, decoder: decoder}, err
}

func (c *codec) close() {
	_ = c.encoder.Close() // it writes to nothing
	c.decoder.Close()
}

// compress gives the frame of a line, as frame does.
func (c *codec) compress(l line) ([]byte, error) {
	text, err := appendLine(nil, l)
	return c.frame(text), err
}

// frame gives the frame of some text, which is good until the next one is made.
func (c *codec) frame(text []byte) []byte {
	c.packed = c.encoder.EncodeAll(text, roomIn(c.packed))
	return c.packed
}

// decompress gives the lines of a frame, whose checksum is compared.
func (c *codec) decompress(frame []byte) ([]byte, error) {
	return c.decoder.DecodeAll(frame, nil)
}

func firstLine(text []byte) []byte {
	first, _, _ := bytes.Cut(text, []byte("\n"))
	return first
}

func lastLine(text []byte) []byte {
	text = bytes.TrimSuffix(text, []byte("\n"))
	return text[bytes.LastIndexByte(text, '\n')+1:]
}

var errFrame = errors.New("no whole frame of zstd")

// frameLength gives how many bytes the first frame of data takes (RFC 8878,
// sections 3.1.1.1 and 3.1.1.2). It looks at lengths alone.
func frameLength(data []byte) (int, error) {
	var h zstd.Header
	if err := h.Decode(data); err != nil || h.Skippable {
		return 0, errFrame
	}
	at, last := h.HeaderSize, false
	for !last {
		if at+3 > len(data) {
			return 0, errFrame
		}
		block := int(data[at]) | int(data[at+1])<<8 | int(data[at+2])<<16
		last = block&1 != 0
		size := block >> 3
		if kind := block >> 1 & 3; kind == 1 { // one byte that is repeated
			size = 1
		}
		at += 3 + size
	}
	if h.HasCheckSum {
		at += 4
	}
	if at > len(data) {
		return 0, errFrame
	}
	return at, nil
}

// anyFrame tells whether a whole and sound frame begins anywhere in data.
func (c *codec) anyFrame(data []byte) bool {
	for {
		at := bytes.Index(data, frameMagic)
		if at < 0 {
			return false
		}
		data = data[at:]
		if length, err := frameLength(data); err == nil {
			if _, err := c.decompress(data[:length]); err == nil {
				return true
			}
		}
		data = data[1:]
	}
}
