package simulate

import "fmt"

// person is a made-up customer.
type person struct {
	first, last, street, zip, city, mail, phone string
}

// The names that people, streets and shops are made of.
var (
	firstNames = []string{"Alva", "Bosse", "Cleo", "Dagny", "Elof", "Frida", "Gösta", "Hedda", "Ivar", "Juni", "Kjell", "Lova"}
	lastNames  = []string{"Almkvarn", "Björkdal", "Dimström", "Ekrot", "Fjärdhög", "Granlyckt", "Hallonby", "Isvik", "Klövermo", "Ljungfors"}
	streets    = []string{"Blåklocksstigen", "Gamla Fyrvägen", "Kanelgränd", "Lärkdrillen", "Månskensgatan", "Pärlugglebacken", "Sju Trappor"}
	cities     = []string{"Norrlunda", "Solrike Strand", "Tranhamn", "Vintervik"}
	shopNames  = []string{"Bruna Brödet", "Fyra Gafflar", "Havets Korg", "Kål & Kummin", "Lilla Nudeln", "Röda Tomaten"}
	dishes     = []string{"Rotselleribiff", "Fiskgryta", "Kantarelltoast", "Lingondricka", "Nudlar med svamp", "Saffransglass"}
	products   = []string{"Kvällsbladet Digital", "Morgonposten Plus", "Skärgårdsnytt", "Veckans Korsord"}
)

// person makes up somebody.
func (d dice) person() person {
	return person{
		first:  pick(d, firstNames...),
		last:   pick(d, lastNames...),
		street: pick(d, streets...),
		zip:    "00" + d.digits(3), // no Swedish post code begins so
		city:   pick(d, cities...),
		mail:   "customer" + d.digits(5) + "@example.com",       // a domain for examples (RFC 2606)
		phone:  fmt.Sprintf("+467017406%02d", d.between(5, 99)), // a range for fiction in Sweden
	}
}

// iban gives an account number whose check digits make it nobody's.
func (d dice) iban() string { return "DE00" + d.digits(18) }
