package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
	"sync"

	"github.com/ticketrail/ticketrail/domain"
)

// LoadMemory is what the making of a read model takes of the machine's memory where it is
// told nothing else, in bytes, beside what the stream's own reader takes.
const LoadMemory = 256 << 20

// loadShare is the part of that, one of so many, which a Loader keeps in orders that are
// under way, some 12,000 by default, and again in SQLite's cache. The rest is for its filters,
// the batches on their way, and Go's garbage.
const loadShare = 8

// Loader makes a new read model from the front of the stream: it is the store of the
// projector that does, until Finish. The file then has the rows that commits to a [DB]
// would have made of the same stream, one for one.
//
// It knows what a DB has to look up. An order is in memory while webhooks of it come,
// and is written, with its timeline, when it has fallen quiet: once as a rule, and not
// with each webhook. Where an order that was written comes back it is read again.
// Writing goes on beside the projector's work.
//
// Until Finish nobody can read the file, and a crash leaves nothing of use: commits are
// in memory, nothing is synced, and there is no journal. So after an error that is not
// found before anything has changed, such as a full disk, all that the Loader gives is
// domain.ErrDamaged.
//
// Checkpoint may be called at any time; the rest by one goroutine.
type Loader struct {
	db     *DB
	tx     *sql.Tx // one for all of it
	writer *batchWriter
	memory int

	mu         sync.Mutex
	checkpoint domain.Checkpoint

	lastID             uint64
	names              map[orderName]*loading // the orders in memory
	orders             map[*domain.Order]*loading
	bytes              int     // of these, and of rooms
	stored             *filter // the orders that are in the file, by hash
	seed               maphash.Seed
	ids                *loadedIDs
	next               piece
	stays              []domain.Stay // that are not counted yet, in the order of the stream
	readOrder, readIDs *sql.Stmt
	writing            chan error // gives the end of the piece that is being written; nil while none is
	written            []*loading // by then
	rooms              [][]byte   // of timelines that were written, for others
	err                error      // the first, which is final
}

// leastCache is the least that SQLite's cache may be, in KiB.
const leastCache = 1 << 10

type orderName struct{ source, key string }

// loading is an order in memory, with those rows of its timeline that are not in the
// file.
type loading struct {
	order    *domain.Order
	timeline bulk
}

// orderBytes is about what an order takes in memory, beside its timeline.
const orderBytes = 2 << 10

// NewLoader makes a new read model in the file at path, of which there must be none. The
// making of it is to take memory bytes, LoadMemory where that is 0.
func NewLoader(ctx context.Context, path string, memory int) (*Loader, error) {
	l := &Loader{
		db:     &DB{path: path, committed: make(chan struct{})},
		memory: cmp.Or(memory, LoadMemory) / loadShare,
		names:  map[orderName]*loading{},
		orders: map[*domain.Order]*loading{},
		stored: new(filter),
		seed:   maphash.MakeSeed(),
		ids:    newLoadedIDs(),
		next:   newPiece(),
	}
	if err := l.open(context.WithoutCancel(ctx)); err != nil {
		return nil, openError(path, errors.Join(err, l.Close()))
	}
	return l, nil
}

func (l *Loader) open(ctx context.Context) (err error) {
	if err := errors.Join(checkVersion(), create(l.db.path)); err != nil {
		return err
	}
	settings := fmt.Sprintf("_txlock=immediate&_journal_mode=OFF&_locking_mode=EXCLUSIVE&_synchronous=%s&_cache_size=-%d&_stmt_cache_size=%s",
		syncedOff, max(leastCache, l.memory>>10), keptStatements)
	if l.db.writer, err = sql.Open("sqlite3", dsn(l.db.path, "rwc", settings)); err != nil {
		return err
	}
	l.db.writer.SetMaxOpenConns(1)
	if err := leaveRoom(ctx, l.db.writer); err != nil {
		return err
	}
	if err := l.db.checkSettings(ctx, map[string]string{"secure_delete": "1"}); err != nil {
		return err
	}
	if err := l.db.prepareSchema(ctx); err != nil {
		return err
	}
	if l.tx, err = l.db.writer.BeginTx(ctx, nil); err != nil {
		return err
	}
	l.writer = &batchWriter{ctx: ctx, tx: l.tx}
	if l.readOrder, err = l.tx.PrepareContext(ctx, selectOrder); err != nil {
		return err
	}
	l.readIDs, err = l.tx.PrepareContext(ctx, selectWebhookIDs)
	return err
}

// Checkpoint gives how far the read model is; the zero Checkpoint before the first
// commit.
func (l *Loader) Checkpoint(context.Context) (domain.Checkpoint, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.checkpoint, nil
}

// TakeOrder gives an order to change, or domain.ErrNotFound.
func (l *Loader) TakeOrder(ctx context.Context, source, key string) (*domain.Order, error) {
	name := orderName{source, key}
	if known, ok := l.names[name]; ok {
		return known.order, l.err
	}
	if l.err != nil || !l.stored.has(l.hash(name)) {
		return nil, cmp.Or(l.err, domain.ErrNotFound)
	}
	l.settle()
	order, err := readOrder(l.readOrder.QueryRowContext(ctx, source, key))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, cmp.Or(l.err, domain.ErrNotFound)
	case err != nil:
		l.fail(err)
		return nil, l.err
	}
	l.keep(order)
	return order, l.err
}

func (l *Loader) hash(name orderName) int64 { return int64(maphash.Comparable(l.seed, name)) }

func (l *Loader) keep(order *domain.Order) {
	one := &loading{order: order}
	if last := len(l.rooms) - 1; last >= 0 {
		one.timeline.bytes, l.rooms = l.rooms[last], l.rooms[:last]
	}
	l.names[orderName{order.Source, order.Key}], l.orders[order] = one, one
	l.bytes += orderBytes
}

// SeenWebhookID is as [DB.SeenWebhookID].
func (l *Loader) SeenWebhookID(ctx context.Context, id domain.WebhookID) (first uint64, otherBody bool, err error) {
	hash := webhookIDHash(id.Source, id.ID)
	known := l.ids.of(hash)
	if l.err == nil && l.ids.stored.has(hash) {
		l.settle()
		rows, err := l.readIDs.QueryContext(ctx, hash, id.StreamSequence)
		if err == nil {
			var stored []seenID
			stored, err = collect(rows, readSeenID)
			known = append(known, stored...)
		}
		l.fail(err)
	}
	first, otherBody = seenAs(known, head(id.Body))
	return first, otherBody, l.err
}

// Commit takes a batch and its checkpoint into memory, and has written what there is no
// room for. Its errors are [CommitError]s.
func (l *Loader) Commit(_ context.Context, b *domain.Batch) error {
	if l.err == nil {
		l.take(b)
		l.makeRoom(b.Erased)
	}
	if l.err != nil {
		return &CommitError{StreamSequence: b.Checkpoint.StreamSequence, Err: l.err}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.checkpoint = b.Checkpoint
	return nil
}

func (l *Loader) take(b *domain.Batch) {
	for _, order := range b.Orders {
		if order.ID == 0 {
			l.lastID++
			order.ID = l.lastID
			l.keep(order)
		}
	}
	for i := range b.Timeline {
		one, known := l.orders[b.Timeline[i].Order]
		if !known {
			l.fail(fmt.Errorf("the batch has a line of the timeline of an order that it does not have"))
			return
		}
		before := cap(one.timeline.bytes)
		one.timeline.entry(&b.Timeline[i])
		l.bytes += cap(one.timeline.bytes) - before
		l.next.changes.change(&b.Timeline[i])
	}
	for i := range b.WebhookIDs {
		l.ids.add(&b.WebhookIDs[i])
	}
	l.next.take(b)
	l.stays = append(l.stays, b.Stays...)
	before, after := cutStays(l.stays, countedUpTo(b.Checkpoint.StreamSequence))
	l.next.count(before)
	l.stays = append(l.stays[:0], after...)
}

// makeRoom has the quieter half of the orders written when memory is full, and each
// erased one at once: what is erased is looked for in the file.
func (l *Loader) makeRoom(erased []*domain.Order) {
	full := l.bytes+l.next.bytes+cap(l.next.changes.bytes)+l.ids.bytes() > l.memory
	if !full && len(erased) == 0 {
		return
	}
	quiet := slices.Clone(erased)
	if full {
		quiet = append(quiet, l.byQuiet()[:(len(l.orders)+1)/2]...)
		if l.ids.bytes() > l.memory/4 {
			l.next.ids = l.ids.drain()
		}
	}
	l.evict(quiet)
}

// byQuiet gives the orders in memory, the longest quiet first.
func (l *Loader) byQuiet() []*domain.Order {
	orders := make([]*domain.Order, 0, len(l.orders))
	for order := range l.orders {
		orders = append(orders, order)
	}
	sortBy(orders, func(o *domain.Order) uint64 { return o.StreamSequence })
	return orders
}

// sortBy sorts orders by a number of theirs. To look at two orders for each comparison
// would take twice as long: thousands of them are in no processor's cache.
func sortBy(orders []*domain.Order, number func(*domain.Order) uint64) {
	type numbered struct {
		number uint64
		order  *domain.Order
	}
	all := make([]numbered, len(orders))
	for i, order := range orders {
		all[i] = numbered{number(order), order}
	}
	slices.SortFunc(all, func(a, b numbered) int { return cmp.Compare(a.number, b.number) })
	for i := range all {
		orders[i] = all[i].order
	}
}

// evict has orders written, and forgets them.
func (l *Loader) evict(orders []*domain.Order) {
	sortBy(orders, func(o *domain.Order) uint64 { return o.ID })
	for _, order := range slices.Compact(orders) {
		name := orderName{order.Source, order.Key}
		one := l.orders[order]
		l.stored.add(l.hash(name))
		l.next.orders = append(l.next.orders, one)
		l.bytes -= orderBytes + cap(one.timeline.bytes)
		delete(l.names, name)
		delete(l.orders, order)
	}
	l.writeNext()
}

// writeNext has what is due written, after what is being written.
func (l *Loader) writeNext() {
	l.settle()
	if l.err != nil {
		return
	}
	due, done := l.next, make(chan error, 1)
	l.next, l.writing, l.written = newPiece(), done, due.orders
	go func() { done <- due.write(l.writer) }()
}

// settle waits for the end of what is being written.
func (l *Loader) settle() {
	if l.writing == nil {
		return
	}
	l.fail(<-l.writing)
	l.writing = nil
	for _, one := range l.written {
		if room := one.timeline.bytes; 0 < cap(room) && cap(room) <= usualRoom {
			l.rooms = append(l.rooms, room[:0])
			l.bytes += cap(room)
		}
	}
	l.written = nil
}

// usualRoom is what the timeline of nearly any order fits in, in bytes: what is larger is
// left to the collection of garbage, lest few hold the memory of many.
const usualRoom = 4 * smallBytes

// fail makes an error final: what is in memory and in the file is of no one checkpoint
// any more.
func (l *Loader) fail(err error) {
	if err != nil && l.err == nil {
		l.err = fmt.Errorf("%w: its making failed: %w", domain.ErrDamaged, err)
	}
}

// Finish writes all that is in memory and closes the file, which is whole then.
func (l *Loader) Finish(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	l.next.ids, l.next.stays = l.ids.drain(), l.stays
	l.evict(l.byQuiet())
	l.settle()
	if l.err == nil && l.checkpoint.StreamSequence > 0 {
		w := batchWriter{ctx: ctx, tx: l.tx}
		w.checkpoint(&l.checkpoint)
		l.fail(w.err)
	}
	if l.err == nil {
		l.fail(l.tx.Commit())
	}
	if err := errors.Join(l.err, l.Close()); err != nil {
		return fmt.Errorf("finish read model %s: %w", l.db.path, err)
	}
	return nil
}

// Close closes the file; without Finish it is of no use.
func (l *Loader) Close() error {
	l.settle()
	if l.tx != nil {
		_ = l.tx.Rollback() // what it leaves is thrown away; after Finish it does nothing
	}
	return l.db.Close()
}
