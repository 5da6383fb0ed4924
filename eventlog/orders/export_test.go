package orders

// Escape is what the values of headers go through.
var Escape = escape
