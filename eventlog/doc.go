// Package eventlog keeps every accepted webhook in one total order, in a
// JetStream stream. It is the only code that knows NATS and Watermill.
//
// # Guarantees
//
//   - When [Log.Append] returns without an error on the embedded server, the
//     webhook is on disk: written and synced, here and in the copy that it waits for,
//     see [Log.AnswerAfter]; unless it was started with [SyncPage].
//   - [Log.Batches] gives out only what is on disk, so that nobody acts on what a power
//     cut may take back.
//   - A stored webhook is read back byte for byte, in stream order, by
//     [Log.Batches], [Log.Webhook] and [Subscriber].
//   - An erased one is read back, by the first two, with all but its body: the
//     tombstone that [Log.Erase] stores after it says what is left. What is gone and
//     has no tombstone is a gap.
//   - A full stream refuses webhooks with [ErrFull]; it never forgets accepted
//     ones. No setting of a stream is ever changed so that messages are lost: a
//     stream that is weaker than it should be is refused with a [SettingError].
//   - The embedded server takes nothing after a write or a sync that failed, and its
//     senders learn of it within a second; [Embedded.Restart] mends that.
//   - Nothing that a sender writes becomes part of a subject, and no stored
//     message can make a reader fail.
//
// # Syncs
//
// The server itself would sync each webhook by itself, or all of them only now and then.
// With [SyncGroup] it does the latter, and this package syncs the file that grows, once
// for all webhooks that wait, before any of them is answered. Beside each stream a mark
// says how far that is: see [SyncedTo].
//
// # Files
//
// What the embedded server has stored is in its files before it says so. Their form is known
// here, see package brokerfile, and each record has a checksum, so they are read directly:
// by [Log.Batches] and [Log.Written], and to find out where the webhooks of a group are. What
// was read for that is kept for a moment, so that those who have come to the end of the stream
// need not read it again. A consumer takes three times as long. It is asked where the files
// do not tell everything, and while they are in doubt, which the log says; where the server
// syncs each message by itself, since they have it before that; and on an external server
// always.
//
// # Duplicates
//
// A byte-identical webhook under the same id is absorbed within the duplicate
// window, and its receipt says so. Later ones are stored again: absorbing them
// for ever is the projector's work.
//
// # What it does not do
//
// It does not check the stream for gaps, replacement or changed messages; the
// projector's guard does.
//
// # Shutdown
//
// Readers end with their context. Then the [Log] needs no closing; [Embedded]
// closes its connection and its server, and the [FolderLock] goes last.
package eventlog
