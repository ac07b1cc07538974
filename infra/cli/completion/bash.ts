// The completion for bash, from 3.2 on.
import type { Vocabulary } from '../vocabulary.ts';
import { type NamesCommand, writeCore } from './core.ts';

/** The script. */
export function writeBash(vocabulary: Vocabulary, names: NamesCommand): string {
  return `# Completes certrelay in bash: source <(npx certrelay completion bash)
${writeCore(vocabulary, names)}
# Joins the words of the line that bash has split at = and :, and finds how much of the last one stays as it
# is: bash puts an offer behind the last of those.
_certrelay_join() {
  local line="$COMP_LINE" count=0 word break
  _certrelay_words=()
  for word in "\${COMP_WORDS[@]:0:COMP_CWORD+1}"; do
    if [ $count -gt 0 ] && [ "\${line#[[:space:]]}" = "$line" ]; then
      _certrelay_words[count-1]="\${_certrelay_words[count-1]}$word"
    else
      _certrelay_words[count]="$word"
      count=$((count + 1))
    fi
    line="\${line#*"$word"}"
  done
  word="\${_certrelay_words[count-1]}"
  _certrelay_stays=''
  for break in = :; do
    case "$COMP_WORDBREAKS" in *"$break"*) ;; *) continue ;; esac
    case "$word" in *"$break"*) ;; *) continue ;; esac
    line="\${word%"$break"*}$break"
    [ \${#line} -gt \${#_certrelay_stays} ] && _certrelay_stays="$line"
  done
  return 0
}
_certrelay() {
  local IFS=$' \\t\\n' current value option='' word
  _certrelay_join
  current="\${_certrelay_words[\${#_certrelay_words[@]}-1]}"
  value="$current"
  case "$current" in --*=*) value="\${current#*=}" option="\${current%%=*}=" ;; esac
  COMPREPLY=()
  _certrelay_choose "$current" "\${_certrelay_words[@]:1:\${#_certrelay_words[@]}-2}"
  case "$_certrelay_is" in
    file)
      while IFS= read -r word; do
        word="$option$word"
        COMPREPLY+=("\${word#"$_certrelay_stays"}")
      done < <(compgen -f -- "$value")
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
        case "$word" in
          "$value"*)
            word="$option$word"
            COMPREPLY+=("\${word#"$_certrelay_stays"}")
            ;;
        esac
      done
      ;;
  esac
  return 0
}
complete -F _certrelay certrelay
`;
}
