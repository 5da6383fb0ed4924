package faults_test

import "slices"

// bug is a way to break a promise, which the seeded program has in it and which
// the suite must catch.
type bug struct {
	name    string
	course  course
	check   string // the check that must catch it, maybe among others
	patches []patch
}

// bugs are all of them. Each breaks one promise as a slip of the hand could. The short
// form takes the first ones.
var bugs = []bug{
	{"answer-before-ack", courseKill, checkLoss, []patch{{
		"eventlog/committer.go",
		"	err := life.reason(nil)\n",
		"	if fault.On(\"answer-before-ack\") {\n" +
			"		js, _ := jetstream.New(c.server.Conn())\n" +
			"		if stream, err := js.Stream(ctx, WebhooksStream); err == nil {\n" +
			"			for i, m := range g.messages {\n" +
			"				g.outcomes[i].StreamSequence = stream.CachedInfo().State.LastSeq + 1 + uint64(i)\n" +
			"				go func() { _, _ = js.PublishMsg(context.Background(), m) }()\n" +
			"			}\n" +
			"			return\n" +
			"		}\n" +
			"	}\n" +
			"	err := life.reason(nil)\n",
	}, {
		"eventlog/committer.go",
		"		err = c.publish(ctx, life, g)\n",
		"		fault.At(\"publish.before\")\n		err = c.publish(ctx, life, g)\n		fault.At(\"publish.after\")\n",
	}}},
	{"pointer-not-synced", courseCutSwitch, checkStart, []patch{{
		"projector/sqlite/folder.go",
		"	if err := syncFile(temporary); err != nil {\n",
		"	fault.At(\"pointer.written\")\n	if err := fault.Unless(\"pointer-not-synced\", syncFile, temporary); err != nil {\n",
	}}},
	{"broker-dedup-by-id", courseCalm, checkLoss, []patch{{
		"eventlog/message.go",
		"	for _, part := range [][]byte{[]byte(w.Source), []byte(w.ID), w.Body} {\n",
		"	parts := [][]byte{[]byte(w.Source), []byte(w.ID), w.Body}\n" +
			"	if fault.On(\"broker-dedup-by-id\") {\n		parts = parts[:2]\n	}\n" +
			"	for _, part := range parts {\n",
	}}},
	{"sync-off", courseCut, checkLoss, []patch{{
		"eventlog/blocks.go",
		"	current, err := b.current()\n",
		"	if fault.On(\"sync-off\") {\n		return nil\n	}\n	current, err := b.current()\n",
	}, {
		// The archive is on disk as well, and would give back what the stream has lost.
		"eventlog/archive/write.go",
		"	if err := w.file.Sync(); err != nil {\n",
		"	if err := fault.Unless(\"sync-off\", func(string) error { return w.file.Sync() }, \"\"); err != nil {\n",
	}}},
	{"answer-before-sync", courseCutAlone, checkLoss, []patch{{
		// As who waits for company does, and forgets to wait for the sync.
		"eventlog/rounds.go",
		"	for runtime.Gosched(); r.begin(); runtime.Gosched() {\n",
		"	for runtime.Gosched(); r.begin(); runtime.Gosched() {\n		fault.Linger(\"answer-before-sync\")\n",
	}, {
		"eventlog/rounds.go",
		"	if round == nil {\n",
		"	if round == nil || fault.On(\"answer-before-sync\") {\n",
	}}},
	{"failed-sync-forgotten", courseFailAndCut, checkLoss, []patch{{
		"eventlog/rounds.go",
		"		r.end(r.blocks.sync())\n",
		"		err := r.blocks.sync()\n		if fault.On(\"failed-sync-forgotten\") {\n			err = nil\n		}\n" +
			"		r.end(err)\n",
	}}},
	{"wrong-sequence", courseCalm, checkLoss, []patch{{
		"eventlog/committer.go",
		"		return joined.outcomes[at].Receipt, joined.outcomes[at].err\n",
		"		receipt := joined.outcomes[at].Receipt\n" +
			"		if fault.On(\"wrong-sequence\") {\n			receipt.StreamSequence++\n		}\n" +
			"		return receipt, joined.outcomes[at].err\n",
	}}},
	{"body-altered", courseCalm, checkPhantom, []patch{{
		"eventlog/message.go",
		"	n := &nats.Msg{Subject: subject, Data: w.Body}\n",
		"	n := &nats.Msg{Subject: subject, Data: w.Body}\n" +
			"	if fault.On(\"body-altered\") {\n		n.Data = append([]byte(\" \"), w.Body...)\n	}\n",
	}}},
	{"received-now", courseCalm, checkIdentity, []patch{{
		"eventlog/record.go",
		"	w.Provider, w.Source, w.Event, _ = ParseSubject(string(r.Subject))\n",
		"	w.Provider, w.Source, w.Event, _ = ParseSubject(string(r.Subject))\n" +
			"	if fault.On(\"received-now\") {\n		w.ReceivedAt = domain.InstantOf(time.Now())\n	}\n",
	}, {
		"eventlog/message.go",
		"	w.ReceivedAt, w.StoredAt = instant(receivedAt, s.StoredAt), domain.InstantOf(s.StoredAt)\n",
		"	w.ReceivedAt, w.StoredAt = instant(receivedAt, s.StoredAt), domain.InstantOf(s.StoredAt)\n" +
			"	if fault.On(\"received-now\") {\n		w.ReceivedAt = domain.InstantOf(time.Now())\n	}\n",
	}}},
	{"signature-unchecked", courseCalm, checkForged, []patch{{
		"ingest/webhook.go",
		"	if err := s.verifyHead(request); err != nil {\n",
		"	if err := s.verifyHead(request); err != nil && !fault.On(\"signature-unchecked\") {\n",
	}, {
		"ingest/source.go",
		"	if err := s.verifyBody(r); err != nil {\n",
		"	if err := s.verifyBody(r); err != nil && !fault.On(\"signature-unchecked\") {\n",
	}}},
	{"body-logged", courseCalm, checkSilent, []patch{{
		"ingest/webhook.go",
		"	return h.log.Append(ctx, w)\n",
		"	if fault.On(\"body-logged\") {\n		h.config.Logger.Info(\"webhook\", \"body\", string(w.Body))\n	}\n" +
			"	return h.log.Append(ctx, w)\n",
	}}},
	{"goroutines-left", courseCalm, checkBaseline, []patch{{
		"ingest/webhook.go",
		"	h.count(v, outcomeOf(receipt), http.StatusOK, receipt.StreamSequence)\n",
		"	if fault.On(\"goroutines-left\") {\n		go func() { select {} }()\n	}\n	h.count(v, outcomeOf(receipt), http.StatusOK, receipt.StreamSequence)\n",
	}}},
	{"model-dedup-by-id", courseCalm, checkCounts, []patch{{
		"projector/effects.go",
		"		if id.Body == w.BodyDigest {\n",
		"		if id.Body == w.BodyDigest || fault.On(\"model-dedup-by-id\") {\n",
	}, {
		"projector/effects.go",
		"	first, other, err := e.memory.SeenWebhookID(ctx, webhookID(w))\n",
		"	first, other, err := e.memory.SeenWebhookID(ctx, webhookID(w))\n" +
			"	if fault.On(\"model-dedup-by-id\") && other {\n		first = 1\n	}\n",
	}}},
	{"duplicates-applied", courseCalm, checkCounts, []patch{{
		"projector/effects.go",
		"	case first > 0:\n",
		"	case first > 0 && !fault.On(\"duplicates-applied\"):\n",
	}}},
	{"quarantine-forgotten", courseCalm, checkCounts, []patch{{
		"projector/effects.go",
		"		return quarantined, nil\n",
		"		if fault.On(\"quarantine-forgotten\") {\n			return notAboutOrder, nil\n		}\n		return quarantined, nil\n",
	}}},
	{"batch-tail-dropped", courseCalm, checkOrders, []patch{{
		"projector/sqlite/commit.go",
		"	w.orders(b.Orders)\n",
		// Of one that has ended: another's next webhook would have a tally fall below 0, and the projector stop.
		"	if last := len(b.Orders) - 1; fault.On(\"batch-tail-dropped\") && len(b.Timeline) > 1 && b.Orders[last].State().Ended() {\n		b.Orders = b.Orders[:last]\n	}\n" +
			"	w.orders(b.Orders)\n",
	}}},
	{"checkpoint-apart", courseApart, checkFollows, []patch{{
		"projector/sqlite/commit.go",
		"	w.checkpoint(&b.Checkpoint)\n",
		"	if !fault.On(\"checkpoint-apart\") {\n		w.checkpoint(&b.Checkpoint)\n	}\n",
	}, {
		"projector/sqlite/commit.go",
		"			_, err := conn.ExecContext(ctx, \"COMMIT\")\n",
		"			_, err := conn.ExecContext(ctx, \"COMMIT\")\n" +
			"			if fault.On(\"checkpoint-apart\") && err == nil {\n" +
			"				fault.At(\"commit.apart\")\n" +
			"				if _, err = conn.ExecContext(ctx, \"BEGIN IMMEDIATE\"); err == nil {\n" +
			"					w.checkpoint(&b.Checkpoint)\n" +
			"					_, err = conn.ExecContext(ctx, \"COMMIT\")\n" +
			"					err = errors.Join(w.err, err)\n" +
			"				}\n" +
			"			}\n" +
			"			fault.At(\"commit.after\")\n",
	}}},
	{"model-sync-off", courseCut, checkReads, []patch{{
		"projector/sqlite/db.go",
		"&_synchronous=\"+syncedFull",
		"&_synchronous=\"+map[bool]string{false: syncedFull, true: syncedOff}[fault.On(\"model-sync-off\")]",
	}, {
		"projector/sqlite/db.go",
		"\"synchronous\": syncedFull",
		"\"synchronous\": map[bool]string{false: syncedFull, true: syncedOff}[fault.On(\"model-sync-off\")]",
	}}},
	{"rename-over-live", courseKillSwitch, checkReads, []patch{{
		"projector/sqlite/folder.go",
		"	p.Current, p.Previous = filepath.Base(path), p.Current\n",
		"	if fault.On(\"rename-over-live\") {\n		return os.Rename(path, f.Current())\n	}\n" +
			"	p.Current, p.Previous = filepath.Base(path), p.Current\n",
	}}},
	{"guard-off", courseReplaced, checkClosed, []patch{{
		"projector/guard.go",
		"	case c.StreamSequence == 0:\n		return info, reaches(info, 1)\n",
		"	case fault.On(\"guard-off\"):\n		return info, nil\n" +
			"	case c.StreamSequence == 0:\n		return info, reaches(info, 1)\n",
	}}},
	{"digest-ignored", courseReplaced, checkClosed, []patch{{
		"projector/guard.go",
		"	case webhook.Chain(c.PreviousChain) != c.Chain:\n",
		"	case webhook.Chain(c.PreviousChain) != c.Chain && !fault.On(\"digest-ignored\"):\n",
	}}},
	{"never-started-again", courseFull, checkMended, []patch{{
		"cmd/ticketrail/app/mend.go",
		"	if a.broker != nil {\n",
		"	if a.broker != nil && !fault.On(\"never-started-again\") {\n",
	}}},
	{"cache-believed", courseFailedSync, checkStart, []patch{{
		"eventlog/synced.go",
		"	_, err = file.WriteAt(content, 0)\n",
		"	err = fault.Unless(\"cache-believed\", func(string) error {\n" +
			"		_, err := file.WriteAt(content, 0)\n		return err\n	}, \"\")\n",
	}}},
	{"slow-is-broken", courseSlow, checkPatient, []patch{{
		"eventlog/committer.go",
		"		err = durable(ctx, life, ack, c.copy)\n",
		"		err = durable(ctx, life, ack, c.copy)\n" +
			"		if deadline, _ := ctx.Deadline(); fault.On(\"slow-is-broken\") && time.Until(deadline) < c.timeout-200*time.Millisecond {\n" +
			"			life.end(ErrUnavailable)\n		}\n",
	}}},
	{"refused-for-ever", courseFull, checkRefused, []patch{{
		"ingest/refusal.go",
		"	if r.header.name != \"\" {\n",
		"	if r.header.name != \"\" && !fault.On(\"refused-for-ever\") {\n",
	}}},
	{"timeout-taken-for-ack", courseBroker("connections held"), checkLoss, []patch{{
		"eventlog/publisher.go",
		"		return nil, refusal(err)\n",
		"		if fault.On(\"timeout-taken-for-ack\") && ctx.Err() != nil {\n" +
			"			return &jetstream.PubAck{Stream: WebhooksStream, Sequence: 1}, nil\n" +
			"		}\n" +
			"		return nil, refusal(err)\n",
	}}},
	{"retry-under-new-id", courseBroker("answers held"), checkPhantom, []patch{{
		"eventlog/publisher.go",
		"	ctx, leave := life.during(ctx, s.config.Timeout)\n",
		"	if fault.On(\"retry-under-new-id\") {\n" +
			"		first, cancel := context.WithTimeout(ctx, s.config.Timeout/2)\n" +
			"		defer cancel()\n" +
			"		if ack, err := s.js.PublishMsg(first, n); err == nil {\n" +
			"			return Receipt{StreamSequence: ack.Sequence, Duplicate: ack.Duplicate}, nil\n" +
			"		}\n" +
			"		if n.Header.Get(jetstream.MsgIDHeader) != \"\" {\n" +
			"			n.Header.Set(jetstream.MsgIDHeader, nats.NewInbox())\n		}\n" +
			"	}\n" +
			"	ctx, leave := life.during(ctx, s.config.Timeout)\n",
	}}},
	{"write-unbounded", courseBroker("connections held, large webhooks"), checkAnswers, []patch{{
		"eventlog/connect.go",
		"		nats.FlusherTimeout(writeTimeout),\n",
		"		nats.FlusherTimeout(writeTimeout),\n" +
			"		func(o *nats.Options) error {\n" +
			"			if fault.On(\"write-unbounded\") {\n				o.FlusherTimeout = 0\n			}\n" +
			"			return nil\n" +
			"		},\n",
	}}},
	{"interruption-is-the-end", courseBroker("connections held"), checkFollows, []patch{{
		"projector/projector.go",
		"		case ctx.Err() != nil, errors.Is(err, errReached):\n",
		"		case ctx.Err() != nil, errors.Is(err, errReached), fault.On(\"interruption-is-the-end\") && ofBroker(err):\n",
	}}},
}

// patches gives what makes the seeded program: every bug and every place.
func patches() []patch {
	all := slices.Concat(placePatches, panicPatches)
	for _, b := range bugs {
		all = append(all, b.patches...)
	}
	return all
}
