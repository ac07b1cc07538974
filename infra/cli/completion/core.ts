// What the completions for bash and zsh have in common: tables of words, and how a line is read.
import type { CompletedOption, CompletedValue, Vocabulary } from '../vocabulary.ts';

/** How a script asks for the names of certificates: program and arguments. */
export type NamesCommand = readonly string[];

/** Options that say which installation names are asked of. */
export const placeOptions = ['--stage', '--region', '--installation', '--endpoint-url'] as const;

/** Seconds for which a shell remembers names. */
export const rememberedSeconds = 60;

/** A text as one word of a POSIX shell. */
export function quoteWord(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Functions for bash and zsh. `_certrelay_choose "$current" words…` sets `_certrelay_is` to `words …`,
 *  `file`, `certificate`, or nothing; `_certrelay_names` sets `_certrelay_list`. */
export function writeCore({ commands, common }: Vocabulary, names: NamesCommand): string {
  const values = [
    ...commands.flatMap(({ name, options }) =>
      options.flatMap((option) => writeValue(option, (flag) => quoteWord(`${name} ${flag}`))),
    ),
    ...common.flatMap((option) => writeValue(option, (flag) => `*' ${flag}'`)),
  ];
  const rows = commands.map(({ name, argument, options }) => ({
    name,
    argument: argument === undefined ? '' : spell(argument),
    options: listFlags(options),
  }));
  return `# What follows an option of a command; empty: it takes nothing.
_certrelay_value() {
  case "$1 $2" in
${values.join('\n')}
    *) _certrelay_is='' ;;
  esac
}

# What a command takes, and its options.
_certrelay_argument() {
  case "$1" in
    '') _certrelay_is='words ${rows.map(({ name }) => name).join(' ')}' ;;
${rows.map(({ name, argument }) => `    ${name}) _certrelay_is='${argument}' ;;`).join('\n')}
    *) _certrelay_is='' ;;
  esac
}
_certrelay_options() {
  case "$1" in
${rows.map(({ name, options }) => `    ${name}) _certrelay_is='${options}' ;;`).join('\n')}
    *) _certrelay_is='' ;;
  esac
  _certrelay_is="words $_certrelay_is ${listFlags(common)}"
}

# Reads the words before the one that is typed.
_certrelay_choose() {
  local current="$1" command='' open='' word=''
  shift
  _certrelay_place=()
  for word in "$@"; do
    if [ -n "$open" ]; then
      case "$open" in
        ${placeOptions.join('|')}) _certrelay_place+=("$open" "$word") ;;
      esac
      open=''
      continue
    fi
    case "$word" in
      --*=*) _certrelay_place_of "\${word%%=*}" "\${word#*=}" ;;
      -*)
        _certrelay_value "$command" "$word"
        [ -n "$_certrelay_is" ] && open="$word"
        ;;
      *) [ -z "$command" ] && command="$word" ;;
    esac
  done
  if [ -n "$open" ]; then
    _certrelay_value "$command" "$open"
    return 0
  fi
  case "$current" in
    --*=*) _certrelay_value "$command" "\${current%%=*}" ;;
    -*) _certrelay_options "$command" ;;
    *) _certrelay_argument "$command" ;;
  esac
  return 0
}
_certrelay_place_of() {
  case "$1" in
    ${placeOptions.join('|')}) _certrelay_place+=("$1" "$2") ;;
  esac
  return 0
}

# Asks for the names of certificates, at most once in ${rememberedSeconds} seconds for each installation.
_certrelay_names() {
  local place="\${_certrelay_place[*]-}"
  if [ "\${_certrelay_of-none}" = "$place" ] && [ $((SECONDS - _certrelay_at)) -lt ${rememberedSeconds} ]; then
    return 0
  fi
  _certrelay_list="$(${names.map(quoteWord).join(' ')} \${_certrelay_place[@]+"\${_certrelay_place[@]}"} 2>/dev/null </dev/null)"
  _certrelay_of="$place"
  _certrelay_at=$SECONDS
  return 0
}
`;
}

function writeValue({ flags, value }: CompletedOption, pattern: (flag: string) => string): readonly string[] {
  return value === undefined
    ? []
    : [`    ${flags.map(pattern).join('|')}) _certrelay_is='${spell(value)}' ;;`];
}

/** Words and flags are our own, and have no quotes. */
function spell(value: CompletedValue): string {
  return typeof value === 'string' ? value : `words ${value.join(' ')}`;
}

function listFlags(options: readonly CompletedOption[]): string {
  return options.flatMap(({ flags }) => flags).join(' ');
}
