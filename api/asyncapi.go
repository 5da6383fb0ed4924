package api

import (
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
)

// asyncAPI is the document of the streams' subjects (AsyncAPI 3.1), as much of it as is
// used.
type asyncAPI struct {
	AsyncAPI           string                   `json:"asyncapi"`
	Info               asyncInfo                `json:"info"`
	DefaultContentType string                   `json:"defaultContentType"`
	Channels           map[string]asyncChannel  `json:"channels"`
	Operations         map[string]asyncOperates `json:"operations"`
	Components         asyncComponents          `json:"components"`
}

type (
	asyncInfo struct {
		Title       string `json:"title"`
		Version     string `json:"version"`
		Description string `json:"description"`
	}
	asyncChannel struct {
		Address     string                    `json:"address"`
		Title       string                    `json:"title"`
		Description string                    `json:"description"`
		Parameters  map[string]asyncParameter `json:"parameters"`
		Messages    map[string]asyncRef       `json:"messages"`
	}
	asyncParameter struct {
		Description string   `json:"description"`
		Enum        []string `json:"enum,omitempty"`
		Examples    []string `json:"examples,omitempty"`
	}
	asyncOperates struct {
		Action   string     `json:"action"`
		Channel  asyncRef   `json:"channel"`
		Summary  string     `json:"summary"`
		Messages []asyncRef `json:"messages"`
	}
	asyncMessage struct {
		Name        string       `json:"name"`
		Title       string       `json:"title"`
		Summary     string       `json:"summary"`
		ContentType string       `json:"contentType,omitempty"`
		Headers     *huma.Schema `json:"headers"`
		Payload     *huma.Schema `json:"payload"`
	}
	asyncComponents struct {
		Messages map[string]asyncMessage `json:"messages"`
		Schemas  map[string]*huma.Schema `json:"schemas"`
	}
	asyncRef struct {
		Ref string `json:"$ref"`
	}
)

// The names of the channels, which are those of their messages too.
const (
	channelWebhooks = "webhook"
	channelOrders   = "orderChanged"
	channelAlerts   = "alert"
)

// newAsyncAPI describes what ticketrail sends: it is who publishes, others subscribe.
func newAsyncAPI(d *document) asyncAPI {
	change := d.schema(reflect.TypeFor[Change]())
	return asyncAPI{
		AsyncAPI: "3.1.0",
		Info: asyncInfo{"ticketrail", documentVersion,
			"What is kept in streams of NATS JetStream. Where the broker is one of your own, others can read both; only this program writes to them."},
		DefaultContentType: typeJSON,
		Channels:           map[string]asyncChannel{channelWebhooks: webhookChannel(), channelOrders: orderChannel(), channelAlerts: alertChannel()},
		Operations: map[string]asyncOperates{
			"keepWebhook":        sends(channelWebhooks, "A webhook was verified and is stored, before its sender is answered with 200."),
			"publishOrderChange": sends(channelOrders, "A webhook changed what readers see of an order."),
			"publishAlert":       sends(channelAlerts, "Orders became late, or a source has gone silent or is heard again."),
		},
		Components: asyncComponents{
			Messages: map[string]asyncMessage{channelWebhooks: webhookMessage(), channelOrders: orderMessage(change), channelAlerts: alertMessage()},
			Schemas:  d.reached(change),
		},
	}
}

func sends(channel, summary string) asyncOperates {
	at := "#/channels/" + channel
	return asyncOperates{Action: "send", Channel: asyncRef{at}, Summary: summary, Messages: []asyncRef{{at + "/messages/" + channel}}}
}

func (a *asyncChannel) message(name string) {
	a.Messages = map[string]asyncRef{name: {"#/components/messages/" + name}}
}

func webhookChannel() asyncChannel {
	c := asyncChannel{
		Address:     "webhooks.{provider}.{source}.{event}",
		Title:       "WEBHOOKS",
		Description: "The stream WEBHOOKS: every webhook as it came, in one total order, for ever unless stream.max_age says otherwise.",
		Parameters: map[string]asyncParameter{
			"provider": {Description: "Who sends such webhooks."},
			"source":   {Description: "The source, as it is configured.", Examples: []string{"ordatic"}},
			"event":    {Description: "The event, of those that the provider has published; other for any else.", Examples: []string{"order-accepted"}},
		},
	}
	providers := c.Parameters["provider"]
	for _, p := range provider.All() {
		providers.Enum = append(providers.Enum, p.Name())
	}
	c.Parameters["provider"] = providers
	c.message(channelWebhooks)
	return c
}

func orderChannel() asyncChannel {
	c := asyncChannel{
		Address: "orders.{source}.{state}",
		Title:   "ORDERS",
		Description: "The stream ORDERS: the changes of orders, at least once and in the order of the stream WEBHOOKS, without what is personal. " +
			"It forgets its oldest by orders.max_bytes and orders.max_age, and begins with what comes.",
		Parameters: map[string]asyncParameter{
			"source": {Description: "The source of the order.", Examples: []string{"ordatic"}},
			"state":  {Description: "The headline of the order after the change.", Enum: each(domain.States(), domain.State.String)},
		},
	}
	c.message(channelOrders)
	return c
}

func alertChannel() asyncChannel {
	c := asyncChannel{
		Address:     "orders.{source}.alert.{kind}",
		Title:       "ORDERS",
		Description: "The stream ORDERS, too: alerts, between the changes. One that cannot be published is dropped; the log and the metrics have it.",
		Parameters: map[string]asyncParameter{
			"source": {Description: "The source that it is about.", Examples: []string{"ordatic"}},
			"kind":   {Description: "What it is.", Enum: []string{string(domain.AlertLate), string(domain.AlertSilent), string(domain.AlertHeard)}},
		},
	}
	c.message(channelAlerts)
	return c
}

func webhookMessage() asyncMessage {
	return asyncMessage{
		Name:    channelWebhooks,
		Title:   "A webhook",
		Summary: "The body, byte for byte, as its provider documents it. Its place in the stream is its stream sequence.",
		Headers: headers(map[string]*huma.Schema{
			"Content-Type":           headerText("The content type that the sender gave.", typeJSON),
			"Ticketrail-Webhook-Id":  headerText("The provider's id of the webhook, percent-encoded, where it has one.", "evt_42"),
			"Ticketrail-Received-At": headerText("When it came, where that is not when it was stored.", "2026-03-01T12:00:00Z"),
			"Nats-Msg-Id":            headerText("What the broker tells repetitions by: the same body under the same id from the same source.", "bF9wMg3Yb4nB8r6dS2aZ9g"),
			"traceparent":            headerText("The span that received it, where it is traced.", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
		}),
		Payload: &huma.Schema{Description: "The body as it came."},
	}
}

func orderMessage(change *huma.Schema) asyncMessage {
	return asyncMessage{
		Name:        channelOrders,
		Title:       "A change of an order",
		Summary:     "A CloudEvent in binary mode (CloudEvents 1.0, NATS protocol binding). Who gets one twice knows it by ce-id.",
		ContentType: typeJSON,
		Headers: headers(map[string]*huma.Schema{
			"ce-specversion":              headerText("The version of CloudEvents.", "1.0"),
			"ce-id":                       headerText("The stream sequence of the webhook that made the change.", "812"),
			"ce-type":                     headerText("Always this.", "ticketrail.order.changed"),
			"ce-source":                   headerText("The orders of the source, as the API has them.", "/v1/orders/ordatic"),
			"ce-subject":                  headerText("The key of the order, percent-encoded.", "store-7:o-1"),
			"ce-time":                     headerText("When the webhook came.", "2026-03-01T12:00:00Z"),
			"Content-Type":                headerText("The type of the data.", typeJSON),
			"Nats-Msg-Id":                 headerText("The same as ce-id.", "812"),
			"Nats-Expected-Stream":        headerText("With what the broker was told to store it.", "ORDERS"),
			"Nats-Expected-Last-Sequence": headerText("The message that it was stored behind, in the stream ORDERS.", "97"),
		}),
		Payload: change,
	}
}

func alertMessage() asyncMessage {
	number := &huma.Schema{Type: huma.TypeInteger}
	text := func(description string) *huma.Schema {
		return &huma.Schema{Type: huma.TypeString, Description: description}
	}
	return asyncMessage{
		Name:        channelAlerts,
		Title:       "An alert",
		Summary:     "A CloudEvent in binary mode, as a change is.",
		ContentType: typeJSON,
		Headers: headers(map[string]*huma.Schema{
			"ce-specversion":              headerText("The version of CloudEvents.", "1.0"),
			"ce-id":                       headerText("What it is about and when it was seen.", "ordatic/late/accepted/2026-03-01T12:00:00Z"),
			"ce-type":                     headerText("ticketrail.orders.late, ticketrail.source.silent or ticketrail.source.heard.", "ticketrail.orders.late"),
			"ce-source":                   headerText("The source.", "/v1/sources/ordatic"),
			"ce-time":                     headerText("When it was seen.", "2026-03-01T12:00:00Z"),
			"ce-afterchange":              headerText("The ce-id of the last change before it.", "812"),
			"Content-Type":                headerText("The type of the data.", typeJSON),
			"Nats-Msg-Id":                 headerText("The same as ce-id.", "ordatic/late/accepted/2026-03-01T12:00:00Z"),
			"Nats-Expected-Stream":        headerText("With what the broker was told to store it.", "ORDERS"),
			"Nats-Expected-Last-Sequence": headerText("The message that it was stored behind, in the stream ORDERS.", "97"),
		}),
		Payload: &huma.Schema{Type: huma.TypeObject, Required: []string{"source"}, Properties: map[string]*huma.Schema{
			"source":        text("The source."),
			"state":         text("The state that the orders are in for too long; of late ones alone."),
			"limit_seconds": {Type: huma.TypeNumber, Description: "How long they may be in it."},
			"orders":        number,
			"keys": {
				Type: huma.TypeArray, Items: text(""), MaxItems: new(domain.MostAlertKeys),
				Description: "The keys of those that became late, the longest late first, as far as they fit.",
			},
			"path":          text("Where the API lists those that are late."),
			"missed_orders": number,
			"since":         text("When the last webhook of a silent source came, to the minute."),
		}},
	}
}

func headers(of map[string]*huma.Schema) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, Properties: of}
}

func headerText(description, example string) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Description: description, Examples: []any{example}}
}

// reached gives the schemas that one refers to, those behind them too.
func (d *document) reached(from *huma.Schema) map[string]*huma.Schema {
	found := map[string]*huma.Schema{}
	var visit func(s *huma.Schema)
	visit = func(s *huma.Schema) {
		if s == nil {
			return
		}
		name := strings.TrimPrefix(s.Ref, "#/components/schemas/")
		if _, seen := found[name]; s.Ref != "" && !seen {
			found[name] = d.huma.OpenAPI().Components.Schemas.Map()[name]
			visit(found[name])
		}
		visit(s.Items)
		for _, property := range s.Properties {
			visit(property)
		}
		for _, other := range slices.Concat(s.OneOf, s.AnyOf, s.AllOf) {
			visit(other)
		}
	}
	visit(from)
	return found
}
