package provider_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
)

// orderForms are the bodies that name an order, with ID for the JSON value of its
// id, and where that value stands.
var orderForms = []struct {
	provider    provider.Provider
	body, where string
	prefix      string // of the key
}{
	{provider.Ivy{}, `{"type":"order_updated","payload":{"id":ID,"status":"paid"}}`, "/payload/id", ""},
	{provider.Ivy{}, `{"type":"refund.failed","payload":{"id":"r","orderId":ID}}`, "/payload/orderId", ""},
	{provider.Ordatic{}, `{"eventType":"order-served","storeId":"s","data":{"orderId":ID}}`, "/data/orderId", "s:"},
	{provider.Payway{}, `{"event":"order_closed","payload":{"order":{"id":ID,"state":"closed"}}}`, "/payload/order/id", ""},
	{provider.Runa{}, `{"id":ID,"status":"FAILED"}`, "/id", ""},
}

// untranslatable gives what a body is quarantined for.
func untranslatable(t testing.TB, p provider.Provider, body string) domain.Untranslatable {
	event, err := p.Translate(webhook(p, body))
	var u *domain.Untranslatable
	require.ErrorAs(t, err, &u, "%.200s", body)
	require.Nil(t, event)
	return *u
}

// An order event whose order cannot be named is quarantined, with the reason and
// the field, and with nothing that the sender wrote.
func TestUnusableOrderIDs(t *testing.T) {
	t.Parallel()
	for value, cause := range map[string]string{
		`""`:                                   domain.CauseKeyMissing,
		`null`:                                 domain.CauseKeyMissing,
		`{}`:                                   domain.CauseKeyMissing,
		`{ }`:                                  domain.CauseKeyMissing,
		`12345`:                                domain.CauseWrongType,
		`1e400`:                                domain.CauseWrongType,
		`true`:                                 domain.CauseWrongType,
		`["o1"]`:                               domain.CauseWrongType,
		`[]`:                                   domain.CauseWrongType,
		`{"$oid":"o1"}`:                        domain.CauseWrongType,
		`"` + strings.Repeat("o", 10000) + `"`: domain.CauseKeyUnusable,
		`"` + strings.Repeat("o", 257) + `"`:   domain.CauseKeyUnusable,
		`"o\u0000"`:                            domain.CauseKeyUnusable,
		`"o\r\nx"`:                             domain.CauseKeyUnusable,
		`"\u0085"`:                             domain.CauseKeyUnusable,
	} {
		for _, form := range orderForms {
			body := strings.Replace(form.body, "ID", value, 1)
			require.Equal(t, domain.Untranslatable{Cause: cause, Where: form.where},
				untranslatable(t, form.provider, body), "%.200s", body)
		}
	}
	for _, form := range orderForms {
		body := strings.Replace(form.body, `"id":ID`, `"no":1`, 1)
		body = strings.Replace(body, `"orderId":ID`, `"no":1`, 1)
		require.Equal(t, domain.Untranslatable{Cause: domain.CauseKeyMissing, Where: form.where},
			untranslatable(t, form.provider, body))
	}
}

// Any other text is an order id like any other: it is a value in a column, never a
// part of a subject, a path or a query.
func TestOddOrderIDs(t *testing.T) {
	t.Parallel()
	for _, id := range []string{
		"o.1", "*", ">", "..", "../../etc/passwd", "a/b", "a:b", " o 1 ", `"o"`, `'; DROP TABLE orders; --`,
		"<script>alert(1)</script>", "\u202eo1\u202c", "Ω≈ç√", "\ufffd", strings.Repeat("o", 254),
	} {
		value, err := json.Marshal(id)
		require.NoError(t, err)
		for _, form := range orderForms {
			event := translated(t, form.provider, strings.Replace(form.body, "ID", string(value), 1))
			require.Equal(t, form.prefix+id, event.Key)
		}
	}
}

// Ordatic's store is a part of the key, and is held to the same rules.
func TestUnusableStore(t *testing.T) {
	t.Parallel()
	ordatic := func(store, order string) string {
		return `{"eventType":"order-served","storeId":` + store + `,"data":{"orderId":"` + order + `"}}`
	}
	for store, want := range map[string]domain.Untranslatable{
		`""`:       {Cause: domain.CauseKeyMissing, Where: "/storeId"},
		`null`:     {Cause: domain.CauseKeyMissing, Where: "/storeId"},
		`7`:        {Cause: domain.CauseWrongType, Where: "/storeId"},
		`"\u007f"`: {Cause: domain.CauseKeyUnusable, Where: "/storeId"},
	} {
		require.Equal(t, want, untranslatable(t, provider.Ordatic{}, ordatic(store, "o1")))
	}
	long := strings.Repeat("s", 200)
	require.Equal(t, domain.Untranslatable{Cause: domain.CauseKeyUnusable, Where: "/data/orderId"},
		untranslatable(t, provider.Ordatic{}, ordatic(`"`+long+`"`, long)))
}

// What could be read in more than one way is not read at all.
func TestMalformedBodies(t *testing.T) {
	t.Parallel()
	for _, form := range orderForms {
		good := strings.Replace(form.body, "ID", `"o1"`, 1)
		for name, body := range map[string]string{
			"a name twice":           `{"x":1,"x":1,` + good[1:],
			"a name twice, escaped":  `{"x":1,"\u0078":1,` + good[1:],
			"a name twice, deep":     `{"x":[{"y":{"z":1,"z":1}}],` + good[1:],
			"invalid UTF-8":          "{\"x\":\"\xff\"," + good[1:],
			"invalid UTF-8 in names": "{\"\xc3\x28\":1," + good[1:],
			"a lone surrogate":       `{"x":"\ud83d",` + good[1:],
			"something behind":       good + `{}`,
			"cut off":                good[:len(good)-1],
			"nothing":                "",
		} {
			require.Equal(t, domain.Untranslatable{Cause: domain.CauseMalformed},
				untranslatable(t, form.provider, body), name)
		}
		require.Equal(t, domain.Untranslatable{Cause: domain.CauseWrongType},
			untranslatable(t, form.provider, `[`+good+`]`))
	}
}

// Names that differ in case are different names.
func TestNamesDifferByCase(t *testing.T) {
	t.Parallel()
	for _, form := range orderForms {
		good := strings.Replace(form.body, "ID", `"o1"`, 1)
		shouted := `{"ID":"x","Id":"x","STATUS":"x","TYPE":"x","EVENTTYPE":"x","STOREID":"x","PAYLOAD":7,"Data":7,` + good[1:]
		require.Equal(t, translated(t, form.provider, good).Key, translated(t, form.provider, shouted).Key)
	}
}

// A body may have 64 levels and no more; brackets in strings are none.
func TestNesting(t *testing.T) {
	t.Parallel()
	for _, form := range orderForms {
		good := strings.Replace(form.body, "ID", `"o1"`, 1)
		with := func(value string) string { return `{"x":` + value + `,` + good[1:] }
		require.NotEmpty(t, translated(t, form.provider, with(nested(63))).Key)
		require.NotEmpty(t, translated(t, form.provider, with(`"`+nested(500)+`\"[{\\"`)).Key)
		require.Equal(t, domain.Untranslatable{Cause: domain.CauseTooDeep},
			untranslatable(t, form.provider, with(nested(64))))
		require.Equal(t, domain.Untranslatable{Cause: domain.CauseTooDeep},
			untranslatable(t, form.provider, with(nested(100_000))))
	}
}

// richForms are bodies with every kind of leaf and object, with the values to
// replace and the fields that they stand in.
var richForms = []struct {
	provider provider.Provider
	body     string
	leaves   map[string]string
	objects  map[string]string
}{
	{
		provider.Ivy{},
		`{"type":"order_updated","date":DATE,"payload":{"id":"o1","status":"paid","merchantId":TEXT,"refundAmount":AMOUNT,` +
			`"createdAt":TIME,"price":PRICE,"refunds":LIST,"statusHistoryList":HISTORY}}`,
		map[string]string{"DATE": "/date", "TEXT": "/payload/merchantId", "AMOUNT": "/payload/refundAmount", "TIME": "/payload/createdAt"},
		map[string]string{"PRICE": "/payload/price", "LIST": "/payload/refunds", "HISTORY": "/payload/statusHistoryList"},
	},
	{
		provider.Ivy{},
		`{"type":"order_updated","payload":{"id":"o1","status":"paid","price":{"currency":TEXT,"total":AMOUNT},` +
			`"refunds":[{"id":"r","amount":SUM,"updatedAt":TIME},{"id":"s","amount":SUM}]}}`,
		map[string]string{"TEXT": "/payload/price/currency", "AMOUNT": "/payload/price/total", "SUM": "/payload/refunds/amount", "TIME": "/payload/refunds/updatedAt"},
		nil,
	},
	{
		provider.Ordatic{},
		`{"eventType":"rider-refund","storeId":"s","data":{"orderId":"o1","refund":{"reason":TEXT,"date":TIME,"totalRiderRefund":AMOUNT}}}`,
		map[string]string{"TEXT": "/data/refund/reason", "TIME": "/data/refund/date", "AMOUNT": "/data/refund/totalRiderRefund"},
		nil,
	},
	{
		provider.Payway{},
		`{"event":NAME,"timestamp":TIME,"payload":{"order":{"id":"o1","state":"closed","order_id":TEXT,"total_price":AMOUNT,"payments":LIST},"receipt":RECEIPT}}`,
		map[string]string{"NAME": "/event", "TIME": "/timestamp", "TEXT": "/payload/order/order_id", "AMOUNT": "/payload/order/total_price"},
		map[string]string{"LIST": "/payload/order/payments", "RECEIPT": "/payload/receipt"},
	},
	{
		provider.Runa{},
		`{"id":"o1","status":"COMPLETED","description":TEXT,"currency":CODE,"total_price":AMOUNT,"created_at":TIME}`,
		map[string]string{"TEXT": "/description", "CODE": "/currency", "AMOUNT": "/total_price", "TIME": "/created_at"},
		nil,
	},
}

// fill replaces each placeholder by null, and one of them by a value.
func fill(body string, placeholder, value string) string {
	body = strings.ReplaceAll(body, placeholder, value)
	for _, other := range []string{
		"DATE", "TEXT", "AMOUNT", "TIME", "PRICE", "LIST", "HISTORY", "SUM", "NAME", "RECEIPT", "CODE",
	} {
		body = strings.ReplaceAll(body, ":"+other, ":null")
	}
	return body
}

// Nothing, in any of the ways to write it, is no value and nothing odd.
func TestNoValue(t *testing.T) {
	t.Parallel()
	for _, form := range richForms {
		plain := translated(t, form.provider, fill(form.body, "TEXT", "null"))
		require.Empty(t, plain.Anomalies)
		for _, fields := range []map[string]string{form.leaves, form.objects} {
			for placeholder := range fields {
				for _, nothing := range []string{`null`, `""`, `{}`, "{ \n\t }"} {
					event := translated(t, form.provider, fill(form.body, placeholder, nothing))
					require.Empty(t, event.Anomalies)
					require.Equal(t, plain.Facts, event.Facts)
				}
			}
		}
	}
}

// A fact that cannot be read is left out and told by its field, once, and never by
// its value; the rest of the order is kept.
func TestUnreadableLeaves(t *testing.T) {
	t.Parallel()
	for _, form := range richForms {
		for placeholder, where := range form.leaves {
			values := []string{`true`, `["x"]`, `{"$date":"x"}`}
			switch placeholder {
			case "AMOUNT", "SUM":
				values = append(values, `"a lot"`, `1e400`, `"1,50"`, `"NaN"`, `" 1"`, `"0x10"`, `"`+strings.Repeat("9", 100)+`"`)
			case "TIME", "DATE":
				values = append(values, `"yesterday"`, `"2024-04-10T17:11:26.601254"`, `1.5`, `1e400`, `1e12`, `9223372036854775807`, `-9223372036854775808`, `99999999999999999999`)
			case "CODE":
				values = append(values, `"eur"`, `"EURO"`, `"€"`, `978`)
			default:
				values = append(values, `7`, `1e400`)
			}
			for _, value := range values {
				event := translated(t, form.provider, fill(form.body, placeholder, value))
				require.Equal(t, []domain.Anomaly{anomaly("unreadable-value", where)}, event.Anomalies, value)
			}
		}
	}
}

// A structure that is not what it is documented to be is quarantined: what it
// should have said cannot be guessed.
func TestWrongStructure(t *testing.T) {
	t.Parallel()
	for _, form := range richForms {
		for placeholder, where := range form.objects {
			for _, value := range []string{`"text"`, `7`, `true`, `[7]`, `[{"id":"x"},"text"]`} {
				require.Equal(t, domain.Untranslatable{Cause: domain.CauseWrongType, Where: where},
					untranslatable(t, form.provider, fill(form.body, placeholder, value)), value)
			}
		}
	}
	for _, c := range []struct {
		provider    provider.Provider
		body, where string
	}{
		{provider.Ivy{}, `{"type":"order_updated","payload":"text"}`, "/payload"},
		{provider.Ivy{}, `{"type":"refund.failed","payload":[]}`, "/payload"},
		{provider.Ordatic{}, `{"eventType":"rider-created","storeId":"s","data":["o1"]}`, "/data"},
		{provider.Ordatic{}, `{"eventType":"rider-refund","storeId":"s","data":{"orderId":"o1","refund":7}}`, "/data/refund"},
		{provider.Payway{}, `{"event":"order_closed","payload":7}`, "/payload"},
		{provider.Payway{}, `{"event":"account_changed","payload":{"order":false}}`, "/payload/order"},
	} {
		require.Equal(t, domain.Untranslatable{Cause: domain.CauseWrongType, Where: c.where},
			untranslatable(t, c.provider, c.body))
	}
}

// A status or an event's name decides what a webhook means, so another type than
// text is quarantined, and so is one that is longer than any, while an unknown text
// is only told, and cut.
func TestDecisiveValues(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		provider          provider.Provider
		body, where, code string
	}{
		{provider.Ivy{}, `{"type":VALUE,"payload":{"id":"o1"}}`, "/type", ""},
		{provider.Ivy{}, `{"type":"order_created","payload":{"id":"o1","status":VALUE}}`, "/payload/status", domain.AnomalyUnknownStatus},
		{provider.Ordatic{}, `{"eventType":VALUE,"storeId":"s","data":{"orderId":"o1"}}`, "/eventType", domain.AnomalyUnknownEvent},
		{provider.Payway{}, `{"event":"order_closed","payload":{"order":{"id":"o1","state":VALUE}}}`, "/payload/order/state", domain.AnomalyUnknownStatus},
		{provider.Runa{}, `{"id":"o1","status":VALUE}`, "/status", domain.AnomalyUnknownStatus},
	} {
		for _, value := range []string{`7`, `true`, `["paid"]`, `{"is":"paid"}`} {
			require.Equal(t, domain.Untranslatable{Cause: domain.CauseWrongType, Where: c.where},
				untranslatable(t, c.provider, strings.Replace(c.body, "VALUE", value, 1)))
		}
		endless := `"` + strings.Repeat("p", 257) + `"`
		require.Equal(t, domain.Untranslatable{Cause: domain.CauseTooLong, Where: c.where},
			untranslatable(t, c.provider, strings.Replace(c.body, "VALUE", endless, 1)))
		if c.code == "" {
			continue
		}
		long := strings.Repeat("ø", 128)
		event := translated(t, c.provider, strings.Replace(c.body, "VALUE", `"`+long+`"`, 1))
		require.Equal(t, []domain.Anomaly{anomaly(c.code, long[:128])}, event.Anomalies)
	}
}

// Whole numbers are Unix times, of seconds or, where they are too great for that,
// of milliseconds.
func TestUnixTimes(t *testing.T) {
	t.Parallel()
	for number, want := range map[string]string{
		"0":             "1970-01-01T00:00:00Z",
		"1773050400":    "2026-03-09T10:00:00Z",
		"1773050400123": "2026-03-09T10:00:00.123Z",
		"99999999999":   "5138-11-16T09:46:39Z",
		"100000000000":  "1973-03-03T09:46:40.000Z",
		"-1":            "1969-12-31T23:59:59Z",
		"-100000000000": "1966-10-31T14:13:20.000Z",
	} {
		event := translated(t, provider.Runa{}, `{"id":"o1","status":"COMPLETED","created_at":`+number+`}`)
		require.Empty(t, event.Anomalies, number)
		require.Equal(t, at(t, want), event.CreatedAt, number)
	}
}
