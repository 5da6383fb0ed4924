// Package config reads ticketrail's configuration.
//
// # Where a value comes from
//
// The defaults are overruled by the file ticketrail.yaml, the file by the
// environment, the environment by flags. A key such as ingest.max_body has one
// environment variable, TICKETRAIL_INGEST_MAX_BODY; an empty variable counts as
// unset, and a value that begins with { or [ is read as YAML, so that lists and
// secrets from files can be given there too.
//
// # Strictness
//
// An unknown key, a value of another type, a size, duration or address that
// cannot be read, a missing secret and everything else that the program would
// stumble over later is an [Error] that names where it was set, the key, and the
// mend. No error ever holds a secret.
//
// # Sources that were not configured
//
// A program that is started without any sources gets one for each provider, with
// generated secrets, by [MakeSources]. [KeepSources] keeps them in the data folder.
//
// # Variables that mean nothing
//
// A variable that begins with TICKETRAIL_ and is neither a key's nor referred to
// as ${NAME} is an [Error] too: it is most likely a key's, mistyped.
package config
