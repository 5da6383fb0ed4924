package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// completionCommand prints a script that has a shell complete command lines.
type completionCommand struct {
	Shell string `arg:"" help:"One of ${enum}." enum:"bash,zsh,fish"`
}

// Help says what to do with the script.
func (*completionCommand) Help() string {
	return "bash: source <(ticketrail completion bash)\nzsh: source <(ticketrail completion zsh)\nfish: ticketrail completion fish | source"
}

// Run prints it.
func (c *completionCommand) Run(p *program, parser *kong.Kong) error {
	lines := completions(parser.Model.Node, "")
	switch c.Shell {
	case "fish":
		return printFish(p.stdout, lines)
	case "zsh":
		fmt.Fprintln(p.stdout, "autoload -U +X bashcompinit && bashcompinit")
	}
	return printBash(p.stdout, lines)
}

// completed are the words that can follow a command.
type completed struct {
	command string // as "orders list"; empty for the program itself
	words   []word
}

// word is one of them: a command, a flag or a value.
type word struct {
	text, help string
	values     []string // of a flag that takes one of a few
}

// completions gives the words after each command, the program first.
func completions(node *kong.Node, command string) []completed {
	here := completed{command: command}
	for _, child := range node.Children {
		here.words = append(here.words, word{text: child.Name, help: child.Help})
	}
	for _, argument := range node.Positional {
		for _, value := range enumOf(argument) {
			here.words = append(here.words, word{text: value})
		}
	}
	for _, group := range node.AllFlags(true) {
		for _, flag := range group {
			here.words = append(here.words, word{text: "--" + flag.Name, help: flag.Help, values: enumOf(flag.Value)})
		}
	}
	all := []completed{here}
	for _, child := range node.Children {
		all = append(all, completions(child, strings.TrimSpace(command+" "+child.Name))...)
	}
	return all
}

// enumOf gives the few values that one can have, none where it can have others.
func enumOf(value *kong.Value) []string {
	return slices.DeleteFunc(value.EnumSlice(), func(text string) bool { return text == "" })
}

// bashTail finds the longest command that the line begins with, and the words that can
// follow it; after a flag with an enumeration those that it takes. Where no word fits, the
// shell offers files.
const bashTail = `_ticketrail() {
  local word words command=ticketrail
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    _ticketrail_follows "$command $word" >/dev/null && command="$command $word"
  done
  words=$(_ticketrail_takes "$command ${COMP_WORDS[COMP_CWORD-1]}" || _ticketrail_follows "$command")
  COMPREPLY=($(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _ticketrail ticketrail
`

// printBash prints what zsh understands too.
func printBash(w io.Writer, lines []completed) error {
	var follows, takes strings.Builder
	for _, line := range lines {
		command, texts := strings.TrimSpace("ticketrail "+line.command), []string{}
		for _, word := range line.words {
			texts = append(texts, word.text)
			if len(word.values) > 0 {
				fmt.Fprintf(&takes, "  %q) echo %q ;;\n", command+" "+word.text, strings.Join(word.values, " "))
			}
		}
		fmt.Fprintf(&follows, "  %q) echo %q ;;\n", command, strings.Join(texts, " "))
	}
	_, err := fmt.Fprintf(w, "_ticketrail_follows() {\n  case \"$1\" in\n%s  *) return 1 ;;\n  esac\n}\n_ticketrail_takes() {\n  case \"$1\" in\n%s  *) return 1 ;;\n  esac\n}\n%s",
		&follows, &takes, bashTail)
	return err
}

// printFish prints a line for each word: fish asks after the commands that were given.
func printFish(w io.Writer, lines []completed) error {
	fmt.Fprintln(w, "complete -c ticketrail -e")
	for _, line := range lines {
		var subcommands []string
		for _, word := range line.words {
			if !strings.HasPrefix(word.text, "--") {
				subcommands = append(subcommands, word.text)
			}
		}
		for _, word := range line.words {
			option := "-f -a " + word.text
			if name, isFlag := strings.CutPrefix(word.text, "--"); isFlag {
				option = "-l " + name
			}
			if len(word.values) > 0 {
				option += " -x -a " + quoteShell(strings.Join(word.values, " "))
			}
			fmt.Fprintf(w, "complete -c ticketrail -n %s %s -d %s\n", quoteShell(fishCondition(line.command, subcommands)), option, quoteShell(word.help))
		}
	}
	return nil
}

// fishCondition holds after a command, and before one of those below it.
func fishCondition(command string, below []string) string {
	if command == "" {
		return "__fish_use_subcommand"
	}
	condition := "true"
	for name := range strings.FieldsSeq(command) {
		condition += "; and __fish_seen_subcommand_from " + name
	}
	if len(below) > 0 {
		condition += "; and not __fish_seen_subcommand_from " + strings.Join(below, " ")
	}
	return condition
}

// quoteShell puts a text into quotes as fish reads them.
func quoteShell(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(text) + "'"
}
