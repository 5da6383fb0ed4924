// Package archive keeps a second copy of the accepted webhooks, which needs neither
// NATS nor ticketrail to be read.
//
// # Form
//
// An archive is a folder of segments, files of zstd frames that hold lines of JSON:
// zstd -dc *.jsonl.zst | jq. A segment begins with a line that names the stream and
// says what the segments before it end with. Then each frame holds a group of
// webhooks, one a line, and a mark: the stream sequence of the last one and the
// digest chain up to it. A segment that is full is sealed with its SHA-256.
//
// A webhook that was erased has "remains" and the SHA-256 of its body in the body's
// place. Its segment is written anew for that, and replaced when the new one is on disk;
// nothing else ever changes a segment that is sealed. erased.json says how far erasures
// have been worked off. What the stream has forgotten is erased as well, as long as its
// segment is there.
//
// # Store
//
// Sealed segments may be put into a [Store] as well, by a [Carrier]. The file stored.jsonl
// tells of each that was read back from there, and up to where the stream may have been
// trimmed: that is noted before it is. [Stored] reads folder and store as one archive, and
// [Joined] the archive and the stream as one stream. An erasure puts another object in the
// place of each that it changes.
//
// # Guarantees
//
//   - When [Writer.Append] returns without an error, the group is on disk: written
//     and synced, with the name of its segment.
//   - A group that was torn by a crash is cut off when the archive is opened. It
//     was never answered for. Damage anywhere else is a [DamageError], and nothing
//     is cut.
//   - [Look] finds every changed byte of a segment, but in the newest group it cannot
//     tell damage from what a crash tore. [Read] checks besides that the webhooks
//     follow one another and give the chain that the marks say.
//   - Nothing is trimmed, and nothing leaves the folder, that was not read back from the
//     store. An object that is not what was put there is a [DamageError] when it is read.
//
// # Concurrency
//
// One process writes an archive, under the lock of the data folder. Any number may
// read it meanwhile, and see whole groups.
package archive
