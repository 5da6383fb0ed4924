package api

import "github.com/ticketrail/ticketrail/domain"

const (
	hintSecret  = "What a secret alone authenticates (Ordatic, Payway) cannot be verified again, since secrets are never kept: if you know that it is genuine, only trust and a reason release it."
	hintForged  = "No provider sends it so: it is most likely forged, or a proxy changed it. Discard it, or release it with trust and a reason if you know that it is genuine."
	hintClock   = "Set the clock of this machine. Its time cannot be verified later either: if you know that it is genuine, only trust and a reason release it."
	hintDiscard = "The stream takes JSON objects only. Discard it."
	hintLimit   = "No provider is known to send as much. Report it if it is genuine: a program that takes it and a rebuild apply it. Else discard it."
	hintChanged = "Most likely the provider changed. Where a mapping of yours reads it, mend that, and the next start applies it; else report it: a program that can translate it and a rebuild apply it. Discard it if it never will be of use."
	hintErased  = "It came of an order after that was erased. Erase the order once more, which takes away what is personal in it, and then discard it; to discard it alone only hides it."
	hintRebuild = "A rebuild applies it: ticketrail rebuild."
)

// causeHints tells what to do about what was set aside, for every cause of both
// kinds.
var causeHints = map[string]string{
	"credential-missing":        "It bore no signature, or none is kept. " + hintSecret,
	"credential-repeated":       hintForged,
	"credential-unfit":          hintForged,
	"credential-wrong":          "Add the secret that it was sent with to the source, and retry it. " + hintSecret,
	"timestamp-too-old":         hintClock,
	"timestamp-too-new":         hintClock,
	"not-json":                  hintDiscard,
	"not-an-object":             hintDiscard,
	domain.CauseMalformed:       "It can be read in more than one way, or in none. Report it to the provider, and discard it.",
	domain.CauseTooDeep:         hintLimit,
	domain.CauseTooManyElements: hintLimit,
	domain.CauseTooLong:         hintLimit,
	domain.CauseWrongType:       hintChanged,
	domain.CauseKeyMissing:      hintChanged,
	domain.CauseKeyUnusable:     "Its order's key is too long or has control characters. Report it to the provider, and discard it.",
	domain.CauseUnknownProvider: "This program lacks its provider. Run one that has it, and rebuild.",
	domain.CauseOrderErased:     hintErased,
	domain.CauseErasure:         "It is no erasure that can be read, or one of an order that there is not. Nothing was erased by it. Discard it.",
	domain.CauseInternalDefect:  "It is a defect of ticketrail. Report it: a program without the defect and a rebuild apply it.",
}

// retryHint tells what can be done about an entry that was tried again, or that
// would be; empty where it is done with.
func retryHint(r domain.Retried) string {
	switch r.Result {
	case domain.RetryStillRejected, domain.RetryStillUntranslatable:
		return causeHints[r.Cause]
	case domain.RetryUnknownSource:
		return "Configure its source again, with the same provider."
	case domain.RetryWouldApply, domain.RetryNotAboutOrder:
		return hintRebuild
	case domain.RetryGone:
		return "The stream has forgotten its bytes. Discard it."
	}
	return ""
}
