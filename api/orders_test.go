package api_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/domain"
)

// list gives the keys of the orders that a query selects, page by page.
func (c *client) list(query url.Values) (keys []string) {
	c.t.Helper()
	for {
		var page api.OrderList
		c.get("/v1/orders?" + query.Encode()).into(&page)
		for _, order := range page.Orders {
			keys = append(keys, order.Key)
		}
		if page.NextCursor == nil {
			return keys
		}
		query.Set("cursor", *page.NextCursor)
	}
}

// A list without any order is an empty list.
func TestNoOrders(t *testing.T) {
	t.Parallel()
	require.Equal(t, `{"orders":[],"next_cursor":null}`+"\n", newLedger(t).serve().get("/v1/orders").Body)
}

// Whatever the size of the pages and the sort, paging gives every order exactly
// once, in the order of the sort.
func TestPagesGiveEveryOrderOnce(t *testing.T) {
	t.Parallel()
	const orders = 23
	l := newLedger(t)
	var created []string
	for i := range orders {
		created = append(created, fmt.Sprintf("o-%02d", i))
		l.apply("ordatic", "ordatic", accepted(created[i]))
	}
	// The even ones are updated again: the two sorts differ.
	var updated []string
	for i := 1; i < orders; i += 2 {
		updated = append(updated, created[i])
	}
	for i := 0; i < orders; i += 2 {
		updated = append(updated, created[i])
		l.apply("ordatic", "ordatic", accepted(created[i]))
	}
	c := l.serve()
	want := map[string][]string{
		"created": created, "-created": reversed(created), "updated": updated, "-updated": reversed(updated),
	}
	rapid.Check(t, func(t *rapid.T) {
		sort := rapid.SampledFrom([]string{"created", "-created", "updated", "-updated"}).Draw(t, "sort")
		limit := rapid.IntRange(1, orders+1).Draw(t, "limit")
		got := c.list(url.Values{"sort": {sort}, "limit": {fmt.Sprint(limit)}})
		require.Equal(t, want[sort], got)
	})
}

func reversed(keys []string) (backwards []string) {
	for i := range keys {
		backwards = append(backwards, keys[len(keys)-1-i])
	}
	return backwards
}

// While orders change between two pages, one that stays where it is is neither
// left out nor given twice.
func TestPagesWhileOrdersChange(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	for i := range 6 {
		l.apply("ordatic", "ordatic", accepted(fmt.Sprintf("o-%d", i)))
	}
	c := l.serve()
	var first, second api.OrderList
	c.get("/v1/orders?limit=3").into(&first)
	l.apply("ordatic", "ordatic", accepted("o-1"))
	l.apply("ordatic", "ordatic", accepted("new"))
	c.get("/v1/orders?limit=3&cursor=" + *first.NextCursor).into(&second)
	require.Equal(t, []string{"o-5", "o-4", "o-3"}, keysOf(first))
	require.Equal(t, []string{"o-2", "o-0"}, keysOf(second), "o-1 moved to the front")
}

func keysOf(page api.OrderList) (keys []string) {
	for _, order := range page.Orders {
		keys = append(keys, order.Key)
	}
	return keys
}

// Every filter narrows the list by what it says, and several by all they say.
func TestFilters(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.pizza()
	sushi := accepted("sushi")
	sushi.StoreID, sushi.Reference = "store-8", "Table 4"
	l.apply("ivy", "ivy", sushi)
	placed := accepted("bun")
	placed.Standing = domain.Standing{}
	l.apply("ordatic", "ordatic", placed)
	c := l.serve()
	pizza := "store-7:o-1"
	for query, want := range map[string][]string{
		"":                                   {"bun", "sushi", pizza},
		"state=accepted":                     {"sushi"},
		"state=accepted,rider-delivering":    {"sushi", pizza},
		"state=placed&state=accepted":        {"bun", "sushi"},
		"source=ivy":                         {"sushi"},
		"store=store-7":                      {pizza},
		"q=O-1":                              {pizza},
		"q=table":                            {"sushi"},
		"q=%25":                              nil,
		"problem=true":                       {pizza},
		"problem=false":                      {"bun", "sushi"},
		"updated_since=2026-03-01T12:05:00Z": {"bun"},
		"updated_since=2026-03-01T13:04:00%2B01:00": {"bun", "sushi"},
		"source=ordatic&state=placed":               {"bun"},
	} {
		var page api.OrderList
		c.get("/v1/orders?" + query).into(&page)
		require.Equal(t, want, keysOf(page), query)
	}
}

// A cursor is good for the list, the filters and the sort that it was given
// with, however many orders are asked for; anything else has a problem of its own.
func TestForeignAndMangledCursors(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	for i := range 4 {
		l.apply("ordatic", "ordatic", accepted(fmt.Sprintf("o-%d", i)))
	}
	c := l.serve()
	var page api.OrderList
	c.get("/v1/orders?limit=2&state=accepted,placed").into(&page)
	cursor := *page.NextCursor
	c.get("/v1/orders?limit=1&state=placed&state=accepted&cursor=" + cursor).into(&page)
	require.Equal(t, []string{"o-1"}, keysOf(page))

	mangled := []byte(cursor)
	mangled[3] ^= 1
	for _, query := range []string{
		"/v1/orders?cursor=" + cursor,
		"/v1/orders?state=accepted,placed&sort=created&cursor=" + cursor,
		"/v1/orders?state=accepted,placed&q=o&cursor=" + cursor,
		"/v1/orders?state=accepted,placed&problem=false&cursor=" + cursor,
		"/v1/orders?state=accepted,placed&cursor=" + string(mangled),
		"/v1/orders?state=accepted,placed&cursor=" + cursor[:8],
		"/v1/orders?state=accepted,placed&cursor=42",
		"/v1/orders?state=accepted,placed&cursor=%00",
		"/v1/quarantine?cursor=" + cursor,
		"/v1/orders/ordatic/o-1/timeline?cursor=" + cursor,
	} {
		c.get(query).refused(http.StatusBadRequest, "invalid-cursor")
	}
}

// What a query says is data: text that would be SQL finds nothing, and a value
// that cannot be meant is refused with the name of its parameter.
func TestHostileQueries(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.pizza()
	c := l.serve()
	for _, text := range []string{"' OR 1=1 --", `\`, "%", "_", `"; DROP TABLE orders; --`, "\u202E", "<script>", "\xff\xfe"} {
		require.Empty(t, c.list(url.Values{"q": {text}}), text)
		c.get("/v1/orders?source="+url.QueryEscape(text)).refused(http.StatusBadRequest, "invalid-parameter")
		require.Empty(t, c.list(url.Values{"store": {text}}), text)
	}
	for query, parameter := range map[string]string{
		"q=" + strings.Repeat("a", 201):      "query.q",
		"q=a%00b":                            "query.q",
		"store=%0A":                          "query.store",
		"state=melted":                       "query.state",
		"state=placed,Placed":                "query.state",
		"problem=maybe":                      "query.problem",
		"updated_since=yesterday":            "query.updated_since",
		"updated_since=2026-03-01T12:00:00":  "query.updated_since",
		"sort=key":                           "query.sort",
		"limit=0":                            "query.limit",
		"limit=201":                          "query.limit",
		"limit=-1":                           "query.limit",
		"limit=1e3":                          "query.limit",
		"limit=99999999999999999999":         "query.limit",
		"min_stream_sequence=-1":             "query.min_stream_sequence",
		"cursor=" + strings.Repeat("A", 129): "query.cursor",
		"at=812":                             "query.at",
		"q=%zz":                              "query",
		"q=a;limit=1":                        "query",
		"limit=1&limit=2":                    "query.limit",
		"source=ordatic&source=ivy":          "query.source",
	} {
		problem := c.get("/v1/orders?"+query).refused(http.StatusBadRequest, "invalid-parameter")
		require.Equal(t, parameter, problem.Errors[0].Parameter, query)
		require.NotEmpty(t, problem.Errors[0].Message, query)
	}
	require.Equal(t, []string{"store-7:o-1"}, c.list(url.Values{}), "nothing was dropped")
}

// What a parameter may be instead is told with the refusal.
func TestARefusalTellsWhatToWrite(t *testing.T) {
	t.Parallel()
	c := newLedger(t).serve()
	for query, message := range map[string]string{
		"state=open":              `no state has this name: use placed, accepted, in-kitchen, ready, rider-delivering, failed, completed, closed, canceled`,
		"updated_since=yesterday": "invalid value: not an RFC 3339 time, such as 2026-01-31T12:00:00Z",
		"source=ordatik":          "there is no such source: did you mean ordatic? Use one of ivy, ordatic",
		"stat=ready":              "there is no such parameter: did you mean state? Use one of at, cursor, late, limit, min_stream_sequence, problem, q, sort, source, state, store, updated_since",
		"limit=1&limit=2":         "is given more than once",
	} {
		problem := c.get("/v1/orders?"+query).refused(http.StatusBadRequest, "invalid-parameter")
		require.Equal(t, message, problem.Errors[0].Message, query)
	}
}

// The list of orders is ordered by receipt in the stream, not by a clock: an
// order whose provider dates it far ahead stays where it belongs.
func TestUpdatedIsByStreamSequence(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	ahead := accepted("ahead")
	ahead.CreatedAt = domain.InstantOf(opening.Add(1000 * time.Hour))
	l.apply("ordatic", "ordatic", ahead)
	l.apply("ordatic", "ordatic", accepted("later"))
	require.Equal(t, []string{"later", "ahead"}, l.serve().list(url.Values{}))
}

// The path of an order leads to this one order, whatever its source and key are.
func TestPathOfOrder(t *testing.T) {
	t.Parallel()
	for want, order := range map[string][2]string{
		"/v1/orders/ordatic/store-7:o-1":     {"ordatic", "store-7:o-1"},
		"/v1/orders/ordatic/a%2Fb%3F%23%20c": {"ordatic", "a/b?# c"},
		"/v1/orders/ordatic/%2E%2E":          {"ordatic", ".."},
		"/v1/orders/%2E/%2E%2E%2E":           {".", "..."},
		"/v1/orders/ordatic/..a":             {"ordatic", "..a"},
	} {
		require.Equal(t, want, api.PathOfOrder(order[0], order[1]))
	}
}

// Each page says in its header where the next one is, as its body does: the same whether it
// is read or kept, and whatever the filters are made of.
func TestPagesLinkToTheNext(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	for _, key := range []string{"a & b?", "b", "c & d>"} {
		l.apply("ivy", "ivy", accepted(key))
	}
	l.apply("ivy", "ivy", withHistory("a & b?"))
	for range 3 {
		l.quarantine("runa", domain.CauseKeyMissing, "/id")
	}
	c := l.serve(func(c *api.Config) { c.Rebuilds = newWorkshop(l) })
	for _, path := range []string{
		"/v1/orders?limit=1&q=%20%26%20&sort=created", "/v1/orders/ivy/a%20&%20b%3F/timeline?limit=1", "/v1/orders/ivy/a%20&%20b%3F/explanation?limit=1",
		"/v1/quarantine?limit=2&source=runa", "/v1/rebuilds?limit=1",
	} {
		for range 2 {
			page := c.get(path)
			next := linked.FindStringSubmatch(page.Header.Get("Link"))
			require.NotNil(t, next, "%s: %q", path, page.Header.Get("Link"))
			asked, err := url.Parse(next[1])
			require.NoError(t, err)
			require.Contains(t, page.Body, `"next_cursor":"`+asked.Query().Get("cursor")+`"`)
			for next != nil {
				page = c.get(next[1])
				require.Equal(t, http.StatusOK, page.Status, page.Body)
				next = linked.FindStringSubmatch(page.Header.Get("Link"))
			}
			require.Contains(t, page.Body, `"next_cursor":null`)
		}
	}
}

var linked = regexp.MustCompile(`^<([^>]+)>; rel="next"$`)
