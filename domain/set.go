package domain

import "slices"

// The sets of an order are slices that are sorted by a comparison and hold no two
// elements that are the same by it.

// insert adds an element to a set and tells whether it was missing.
func insert[T any](set *[]T, element T, compare func(a, b T) int) bool {
	i, found := slices.BinarySearchFunc(*set, element, compare)
	if !found {
		*set = slices.Insert(*set, i, element)
	}
	return !found
}

// merge takes elements, in any order, into a set: in one pass over both, since one
// webhook may bring many. Where an element is in the set already, take decides what
// becomes of it and tells whether that is news. It gives what was missing or news,
// in the order of the set, and makes the set anew where there are any elements.
func merge[T any](
	set *[]T, elements []T, compare func(a, b T) int, take func(known *T, element T) (isNews bool),
) (news []T) {
	if len(elements) == 0 {
		return nil
	}
	known, merged := *set, make([]T, 0, len(*set)+len(elements))
	elements = slices.Clone(elements)
	slices.SortStableFunc(elements, compare)
	for _, element := range elements {
		for len(known) > 0 && compare(known[0], element) <= 0 {
			merged, known = append(merged, known[0]), known[1:]
		}
		last := len(merged) - 1
		switch {
		case last < 0 || compare(merged[last], element) != 0:
			merged, news = append(merged, element), append(news, element)
		case take(&merged[last], element):
			news = append(news, element)
		}
	}
	*set = append(merged, known...)
	return news
}

// keep leaves the known element as it is.
func keep[T any](*T, T) (isNews bool) { return false }

// newest takes the element with the greater stamp. It is news where they differ in
// anything but the stamp.
func newest[T comparable](stamp func(*T) *Stamp) func(known *T, element T) (isNews bool) {
	return func(known *T, element T) bool {
		if stamp(&element).Compare(*stamp(known)) <= 0 {
			return false
		}
		previous := *known
		*known = element
		*stamp(&previous) = *stamp(&element)
		return previous != element
	}
}
