// The completion for bash, from 3.2 on.
import type { Vocabulary } from '../vocabulary.ts';
import { type NamesCommand, writeCore } from './core.ts';

/** The script. */
export function writeBash(vocabulary: Vocabulary, names: NamesCommand): string {
  return `# Completes certrelay in bash: source <(npx certrelay completion bash)
${writeCore(vocabulary, names)}
_certrelay() {
  local IFS=$' \\t\\n' current="\${COMP_WORDS[COMP_CWORD]}" word
  [ "$current" = '=' ] && current=''
  COMPREPLY=()
  _certrelay_choose "$current" "\${COMP_WORDS[@]:1:COMP_CWORD-1}"
  case "$_certrelay_is" in
    file)
      while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "$current")
      compopt -o filenames 2>/dev/null
      ;;
    certificate)
      _certrelay_names
      _certrelay_is="words $_certrelay_list"
      ;;
  esac
  case "$_certrelay_is" in
    'words '*)
      for word in \${_certrelay_is#words }; do
        case "$word" in "$current"*) COMPREPLY+=("$word") ;; esac
      done
      ;;
  esac
  return 0
}
complete -F _certrelay certrelay
`;
}
