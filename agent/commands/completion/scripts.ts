/** The first word of the command line by which a script asks; the words of the line to complete follow it. */
export const COMPLETE = '__complete'

/** What a script does by itself, for a line of the answer. */
export const FILES = ':files'
export const DIRECTORIES = ':directories'

/** Bash takes `--name=value` for three words, so that the value is completed alone. */
const BASH = `# bash completion for calico-agent

_calico_agent() {
  local word current=\${COMP_WORDS[COMP_CWORD]}
  if [ "$current" = = ]; then current=; fi
  COMPREPLY=()
  while IFS=$'\\t' read -r word _; do
    case $word in
      ${FILES}) compopt -o default ;;
      ${DIRECTORIES}) compopt -o dirnames ;;
      "$current"*) COMPREPLY+=("$word") ;;
    esac
  done < <("\${COMP_WORDS[0]}" ${COMPLETE} "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}

complete -F _calico_agent calico-agent agent`

/** Read by its name from a directory of $fpath, or sourced. */
const ZSH = `#compdef calico-agent agent

_calico_agent() {
  local line
  local -a values
  compset -P '--*='
  for line in "\${(@f)$("\${words[1]}" ${COMPLETE} "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    case $line in
      ${FILES}) _files; return ;;
      ${DIRECTORIES}) _files -/; return ;;
      *$'\\t'*) values+=("\${line/$'\\t'/:}") ;;
      ?*) values+=("$line") ;;
    esac
  done
  _describe 'value' values
}

if [ "$funcstack[1]" = _calico-agent ]; then
  _calico_agent "$@"
else
  compdef _calico_agent calico-agent agent
fi`

export const SCRIPTS = { bash: BASH, zsh: ZSH } as const
