// The completion for zsh.
import type { Vocabulary } from '../vocabulary.ts';
import { type NamesCommand, writeCore } from './core.ts';

/** The script: to be read, or to be kept in a folder of `fpath` as `_certrelay`. */
export function writeZsh(vocabulary: Vocabulary, names: NamesCommand): string {
  return `#compdef certrelay
# Completes certrelay in zsh: source <(npx certrelay completion zsh)
${writeCore(vocabulary, names)}
_certrelay() {
  emulate -L zsh
  _certrelay_choose "$PREFIX" "\${(@)words[2,CURRENT-1]}"
  [[ $PREFIX == --*=* ]] && compset -P '*='
  case "$_certrelay_is" in
    file) _files ;;
    certificate)
      _certrelay_names
      compadd -- \${(f)_certrelay_list}
      ;;
    'words '*) compadd -- \${=_certrelay_is#words } ;;
  esac
}
if [ "\${funcstack[1]-}" = '_certrelay' ]; then
  _certrelay "$@"
else
  (( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }
  compdef _certrelay certrelay
fi
`;
}
