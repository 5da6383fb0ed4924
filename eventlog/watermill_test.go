package eventlog_test

import (
	"testing"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/ThreeDotsLabs/watermill/pubsub/tests"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/eventlog"
)

// features are what Publisher and Subscriber claim. A subscription has its own
// place in the stream, so there are no consumer groups, and one that begins anew
// gets everything again.
var features = tests.Features{
	ConsumerGroups:                      false,
	ExactlyOnceDelivery:                 false,
	GuaranteedOrder:                     true,
	GuaranteedOrderWithSingleSubscriber: true,
	Persistent:                          true,
	NewSubscriberReceivesOldMessages:    true,
	ForceShort:                          true, // each message is a sync: fewer prove the same
	GenerateTopicFunc: func(ctx tests.TestContext) string {
		return "webhooks.test.suite." + ctx.TestID.String()
	},
}

// constructor makes publishers and subscribers on one embedded server, each pair
// with a connection of its own: on a shared one, acknowledgements wait behind all
// that the suite's fifty readers are sent.
func constructor(t *testing.T, inFlight int) tests.PubSubConstructor {
	t.Helper()
	dir := t.TempDir()
	embedded := startEmbedded(t, dir)
	openLog(t, embedded, dir)
	return func(t *testing.T) (message.Publisher, message.Subscriber) {
		conn, err := nats.Connect("", nats.InProcessServer(embedded))
		require.NoError(t, err)
		t.Cleanup(conn.Close)
		js, err := jetstream.New(conn)
		require.NoError(t, err)
		return eventlog.NewPublisher(js, eventlog.PublisherConfig{}),
			eventlog.NewSubscriber(js, eventlog.SubscriberConfig{Stream: eventlog.WebhooksStream, InFlight: inFlight})
	}
}

// Publisher and Subscriber keep the contract of a Watermill Pub/Sub, by
// Watermill's own suite. With one message in flight all of it holds.
func TestWatermillPubSub(t *testing.T) {
	t.Parallel()
	tests.TestPubSub(t, features, constructor(t, 1), nil)
}

// With many messages in flight all but one test of the suite holds: the one that
// wants each message to wait for the acknowledgement of the last.
func TestWatermillPubSubWithManyInFlight(t *testing.T) {
	t.Parallel()
	constructor := constructor(t, 0)
	for name, test := range map[string]func(*testing.T, tests.TestContext, tests.PubSubConstructor){
		"PublishSubscribe":                  tests.TestPublishSubscribe,
		"ConcurrentSubscribe":               tests.TestConcurrentSubscribe,
		"ConcurrentSubscribeMultipleTopics": tests.TestConcurrentSubscribeMultipleTopics,
		"ResendOnError":                     tests.TestResendOnError,
		"ContinueAfterSubscribeClose":       tests.TestContinueAfterSubscribeClose,
		"ConcurrentClose":                   tests.TestConcurrentClose,
		"ContinueAfterErrors":               tests.TestContinueAfterErrors,
		"PublishSubscribeInOrder":           tests.TestPublishSubscribeInOrder,
		"PublisherClose":                    tests.TestPublisherClose,
		"Topic":                             tests.TestTopic,
		"MessageCtx":                        tests.TestMessageCtx,
		"SubscribeCtx":                      tests.TestSubscribeCtx,
		"NewSubscriberReceivesOldMessages":  tests.TestNewSubscriberReceivesOldMessages,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, tests.TestContext{TestID: tests.NewTestID(), Features: features}, constructor)
		})
	}
}
