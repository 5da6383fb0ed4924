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
		return printZsh(p.stdout, lines)
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

// printBash prints what follows each command, and what each flag takes.
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

// zshTail does in zsh what bashTail does in bash, with the help of each word. It is of use
// sourced, and as a file of $fpath.
const zshTail = `_ticketrail() {
  local word before=${words[CURRENT-1]} command=ticketrail
  local -a all flags commands
  for word in ${words[2,CURRENT-1]}; do
    (( ${+_ticketrail_follows[$command $word]} )) && command="$command $word"
  done
  compset -P '--*=' && before=${IPREFIX%=}
  if (( ${+_ticketrail_takes[$command $before]} )); then
    compadd -- ${=_ticketrail_takes[$command $before]}
    return
  fi
  all=("${(@f)_ticketrail_follows[$command]}")
  flags=(${(M)all:#--*}) commands=(${all:#--*})
  _describe -o flag flags
  (( $#commands )) && _describe command commands || _files
}
if [[ $funcstack[1] == _ticketrail ]]; then
  _ticketrail "$@"
else
  (( $+functions[compdef] )) || { autoload -U compinit && compinit }
  compdef _ticketrail ticketrail
fi
`

// printZsh prints the same for zsh.
func printZsh(w io.Writer, lines []completed) error {
	var follows, takes strings.Builder
	for _, line := range lines {
		command, texts := strings.TrimSpace("ticketrail "+line.command), []string{}
		for _, word := range line.words {
			texts = append(texts, strings.TrimSuffix(word.text+":"+word.help, ":"))
			if len(word.values) > 0 {
				fmt.Fprintf(&takes, "  %s %s\n", quoteZsh(command+" "+word.text), quoteZsh(strings.Join(word.values, " ")))
			}
		}
		fmt.Fprintf(&follows, "  %s %s\n", quoteZsh(command), quoteZsh(strings.Join(texts, "\n")))
	}
	_, err := fmt.Fprintf(w, "#compdef ticketrail\ntypeset -gA _ticketrail_follows=(\n%s)\ntypeset -gA _ticketrail_takes=(\n%s)\n%s",
		&follows, &takes, zshTail)
	return err
}

// quoteZsh puts a text into quotes as zsh reads them.
func quoteZsh(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// fishHead finds the command that the line begins with, as bashTail does.
const fishHead = `complete -c ticketrail -e
function _ticketrail_at
  set -l command ticketrail
  for word in (commandline -opc)
    contains -- "$command $word" $_ticketrail_commands; and set command "$command $word"
  end
  test "$command" = "$argv"
end
`

// printFish prints a line for each word.
func printFish(w io.Writer, lines []completed) error {
	fmt.Fprint(w, fishHead, "set -g _ticketrail_commands")
	for _, line := range lines {
		fmt.Fprintf(w, " %s", quoteFish("ticketrail "+line.command))
	}
	fmt.Fprintln(w)
	for _, line := range lines {
		condition := quoteFish("_ticketrail_at " + strings.TrimSpace("ticketrail "+line.command))
		for _, word := range line.words {
			option := "-f -a " + word.text
			if name, isFlag := strings.CutPrefix(word.text, "--"); isFlag {
				option = "-l " + name
			}
			if len(word.values) > 0 {
				option += " -x -a " + quoteFish(strings.Join(word.values, " "))
			}
			if _, err := fmt.Fprintf(w, "complete -c ticketrail -n %s %s -d %s\n", condition, option, quoteFish(word.help)); err != nil {
				return err
			}
		}
	}
	return nil
}

// quoteFish puts a text into quotes as fish reads them.
func quoteFish(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(text) + "'"
}
