package domain_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ticketrail/ticketrail/domain"
)

// The document of an order is what json.Marshal makes of it: with any of its fields set or
// not, whatever they hold, also what no fold would bring together.
func TestDocumentIsWhatTheLibraryWrites(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var order domain.Order
		drawInto(t, reflect.ValueOf(&order).Elem())
		requireDocument(t, &order)
	})
}

// So is that of an order as events make it.
func TestDocumentOfAFoldedOrderIsWhatTheLibraryWrites(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		anyEvent := eventOf(domain.Step, domain.Snapshot)
		requireDocument(t, fold(rapid.SliceOfN(anyEvent, 0, 6).Draw(t, "events")...))
	})
}

// A text that is not UTF-8 is refused, as by the library: nobody could read it back.
func TestDocumentIsUTF8(t *testing.T) {
	t.Parallel()
	_, err := (&domain.Order{Key: "\xff"}).AppendDocument(nil)
	require.Error(t, err)
}

func requireDocument(t require.TestingT, order *domain.Order) {
	want, err := json.Marshal(order)
	require.NoError(t, err)
	document, err := order.AppendDocument([]byte("before "))
	require.NoError(t, err)
	require.Equal(t, "before "+string(want), string(document))
}

// anyInstant draws a time between the years 0 and 9999, with any fraction, or none at all.
func anyInstant(t *rapid.T) domain.Instant {
	seconds := rapid.Int64Range(-62_167_219_200-86_400, 253_402_300_799+86_400).Draw(t, "seconds")
	nanoseconds := rapid.Int64Range(0, 999_999_999).Draw(t, "nanoseconds")
	return domain.InstantOf(time.Unix(seconds, nanoseconds*rapid.Int64Range(0, 1).Draw(t, "with fraction")))
}

// drawInto sets each exported field, also of what is inside, to something or leaves it.
func drawInto(t *rapid.T, value reflect.Value) {
	if rapid.IntRange(0, 2).Draw(t, "leave") == 0 {
		return
	}
	switch at := value.Addr().Interface().(type) {
	case *domain.Instant:
		*at = anyInstant(t)
		return
	case *domain.Stamp:
		*at = domain.Stamp{
			Clock: anyInstant(t), History: rapid.Uint32().Draw(t, "history"),
			Rank: rapid.Uint8().Draw(t, "rank"), Body: rapid.Uint64().Draw(t, "body"),
		}
		return
	}
	switch value.Kind() {
	case reflect.Struct:
		for i := range value.NumField() {
			drawInto(t, value.Field(i))
		}
	case reflect.Slice:
		value.Set(reflect.MakeSlice(value.Type(), rapid.IntRange(0, 3).Draw(t, "elements"), 3))
		for i := range value.Len() {
			drawInto(t, value.Index(i))
		}
	case reflect.String:
		value.SetString(rapid.String().Draw(t, "text"))
	case reflect.Uint8: // of all axes and the set of outcomes
		value.SetUint(uint64(rapid.IntRange(0, 4).Draw(t, "small")))
	case reflect.Uint64:
		value.SetUint(rapid.Uint64().Draw(t, "number"))
	case reflect.Int:
		value.SetInt(int64(rapid.Int().Draw(t, "integer")))
	default:
		t.Fatalf("no way to draw a %s", value.Kind())
	}
}
