package domain_test

import (
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ticketrail/ticketrail/domain"
)

var (
	anyEvent = eventOf(domain.Step, domain.Snapshot)
	tokens   = domain.Tokens([]byte("the key of one erasure"))
	tomb     = &domain.Event{Kind: domain.Tombstone, Key: "o", Name: domain.EventErased}
)

// An order that was erased is the same, whether it was folded from what its webhooks
// said or from what their erasure left of them; and each did the same to it.
func TestErasedOrderIsWhatItsRemainsMake(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		events := rapid.SliceOfN(anyEvent, 1, 10).Draw(t, "events")
		live, again := domain.NewOrder("s", "p", "o"), domain.NewOrder("s", "p", "o")
		for _, event := range events {
			require.Equal(t, wordless(apply(live, event)), wordless(apply(again, stored(t, event.Redact(tokens)))))
		}
		require.Equal(t, apply(live, tomb), apply(again, tomb))
		require.Equal(t, live, again)
	})
}

// wordless leaves out why a status that was back-filled came to be. What nothing else
// tells apart may come in another order.
func wordless(change domain.Change) domain.Change {
	for i := range change.Backfilled {
		change.Backfilled[i].Reason = ""
	}
	return change
}

// stored gives an event as it comes back from where it was stored.
func stored(t *rapid.T, event *domain.Event) *domain.Event {
	text, err := json.Marshal(event)
	require.NoError(t, err)
	var back domain.Event
	require.NoError(t, json.Unmarshal(text, &back))
	again, err := json.Marshal(back)
	require.NoError(t, err)
	require.Equal(t, string(text), string(again))
	return &back
}

// An event that was stored and read back does to an order what it did before.
func TestStoredEventFoldsTheSame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		before := rapid.SliceOfN(anyEvent, 0, 4).Draw(t, "before")
		order, same := fold(before...), fold(before...)
		event := anyEvent.Draw(t, "event")
		require.Equal(t, apply(order, event), apply(same, stored(t, event)))
		require.Equal(t, order, same)
	})
}

// An erased order has nothing that is personal, its sets are sets still, and it stands
// where it stood. What was redacted for a reader differs from it in nothing but what
// is about the tombstone.
func TestErasedOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		order := fold(rapid.SliceOfN(anyEvent, 1, 10).Draw(t, "events")...)
		text, err := json.Marshal(order)
		require.NoError(t, err)
		redacted := order.Redacted()
		untouched, err := json.Marshal(order)
		require.NoError(t, err)
		require.Equal(t, string(text), string(untouched), "who redacts for a reader changes nothing")

		was := order.Standing()
		change := apply(order, tomb)
		require.Equal(t, domain.Change{Effect: domain.EffectErased, From: was, To: was, Before: was.State(), After: was.State()}, change)
		require.False(t, order.ErasedAt.IsZero())
		require.Equal(t, order.LastSeenAt, order.ErasedAt)
		require.Empty(t, order.Reference.Value+order.Description.Value)
		for _, refund := range order.Refunds {
			require.Empty(t, refund.Reason)
		}
		for i, entry := range order.History {
			require.Empty(t, entry.Reason)
			require.True(t, i == 0 || entry != order.History[i-1])
		}
		order.ErasedAt = domain.Instant{}
		require.Equal(t, blanked(redacted), blanked(order))
		erased := *order
		apply(&erased, tomb)
		require.Equal(t, blanked(redacted), blankedOfErasure(&erased), "to erase it again changes nothing else")
	})
}

func blankedOfErasure(order *domain.Order) domain.Order {
	o := blanked(order)
	o.ErasedAt = domain.Instant{}
	return o
}

// The same text has the same token, another text another, and each key has its own.
func TestTokens(t *testing.T) {
	t.Parallel()
	other := domain.Tokens([]byte("another key"))
	require.Equal(t, tokens("Alva"), tokens("Alva"))
	require.NotEqual(t, tokens("Alva"), tokens("alva"))
	require.NotEqual(t, tokens("Alva"), other("Alva"))
	require.Regexp(t, `^erased-[0-9a-f]{32}$`, tokens(""))
}

// What is redacted of an order differs from the order in places that are known to be
// personal: there is one list of them.
func TestRedactedPlacesArePersonal(t *testing.T) {
	t.Parallel()
	order := fold(&domain.Event{
		Facts:   domain.Facts{Reference: "Table 4", Description: "for Alva", StoreID: "s"},
		Refunds: []domain.Refund{{ID: "1", Reason: "Alva was out"}},
		History: []domain.HistoryEntry{{Status: "paid", Reason: "Alva paid"}},
	})
	before, after := pointers(t, order), pointers(t, order.Redacted())
	for pointer, value := range before {
		difference := domain.FieldDifference{Pointer: pointer}
		require.True(t, after[pointer] == value || difference.Personal(), pointer)
	}
	require.Len(t, before, len(after)+4)
	for pointer, personal := range map[string]bool{
		"": true, "/reference/value": true, "/columns/reference": true, "/timeline/7.1/note": true, "/refunds/0/reason": true,
		"/steps/fulfillment": false, "/columns/state": false, "/timeline/7/effect": false, "/refunds/0/id": false,
	} {
		difference := domain.FieldDifference{Pointer: pointer}
		require.Equal(t, personal, difference.Personal(), pointer)
	}
}

// pointers gives every value of an order by its place.
func pointers(t *testing.T, order *domain.Order) map[string]any {
	t.Helper()
	text, err := json.Marshal(order)
	require.NoError(t, err)
	var document map[string]any
	require.NoError(t, json.Unmarshal(text, &document))
	all := map[string]any{}
	addPointers(all, "", document)
	return all
}

func addPointers(all map[string]any, at string, value any) {
	switch v := value.(type) {
	case map[string]any:
		for name, member := range v {
			addPointers(all, at+"/"+name, member)
		}
	case []any:
		for _, element := range v {
			addPointers(all, at+"/0", element)
		}
	default:
		all[at] = v
	}
}
