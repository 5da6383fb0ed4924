package provider

import (
	"cmp"

	"github.com/ticketrail/ticketrail/domain"
)

// Runa is the gift card and payout platform Runa, formerly WeGift. It sends
// through Svix, one webhook for each order, when the order has been processed, and
// signs as Standard Webhooks has it.
type Runa struct{ standardWebhooks }

const (
	runaOrderCompletion = "order.completion"
	runaProductUpdate   = "product.update"
)

// runaEvents is all that Runa documents. The body does not name its event.
var runaEvents = vocabulary{runaOrderCompletion, runaProductUpdate}

// Name gives "runa".
func (Runa) Name() string { return "runa" }

// Events gives order-completion and product-update.
func (Runa) Events() []string { return runaEvents.tokens() }

// Identify tells the event by the fields that only it has, and finds the webhook
// id in the headers: it is the same for each attempt to deliver one webhook.
func (Runa) Identify(r *Request) (Identity, error) {
	top, err := topLevel(r.Body, "product_code", "id", "status")
	if err != nil {
		return Identity{}, err
	}
	return Identity{
		Event:     runaEvents.identify(runaName(top[0], top[1], top[2])),
		WebhookID: standardWebhookID(r.Header),
	}, nil
}

// runaName gives the event of a body with these values; empty for another body.
func runaName(productCode, id, status string) string {
	switch {
	case productCode != "":
		return runaProductUpdate
	case id != "" && status != "":
		return runaOrderCompletion
	}
	return ""
}

// Translate makes a step of every body that has an order's id or status.
func (Runa) Translate(w *domain.Webhook) (*domain.Event, error) { return translate(w, runaEvent) }

// runaProcessing is the status of the documentation's own example, which its
// contract does not allow in a webhook.
const runaProcessing = "PROCESSING"

var runaStatuses = lifecycle{
	{name: runaProcessing},
	{name: "FAILED", axes: domain.Axes{Outcome: domain.OutcomeFailed}},
	{name: "COMPLETED", axes: domain.Axes{Outcome: domain.OutcomeCompleted, Payment: domain.PaymentPaid}},
}

func runaEvent(body object) *domain.Event {
	isOrder := body.value("id") != nil || body.value("status") != nil
	if !isOrder || body.value("product_code") != nil {
		return nil
	}
	statusName := body.word("status")
	status, rank, known := runaStatuses.find(statusName)
	switch {
	case !known:
		body.note(domain.AnomalyUnknownStatus, clip(statusName))
	case statusName == runaProcessing:
		body.note(domain.AnomalyStatusOutsideContract, statusName)
	}
	facts := runaFacts(body)
	facts.ProviderStatus = statusName
	return &domain.Event{
		Kind:       domain.Step,
		Key:        body.key("id"),
		Name:       runaOrderCompletion,
		Stamp:      body.stamp(domain.Instant{}, 0, rank),
		OccurredAt: cmp.Or(facts.CompletedAt, facts.CreatedAt),
		Standing:   status.standing(),
		Facts:      facts,
	}
}

func runaFacts(body object) domain.Facts {
	description := body.text("description")
	return domain.Facts{
		Reference:   description, // "your own reference text", says the documentation
		Description: description,
		Currency:    body.currency("currency"),
		Total:       body.amount("total_price"),
		Discount:    body.amount("total_discount"),
		CreatedAt:   body.instant("created_at"),
		CompletedAt: body.instant("completed_at"),
	}
}
