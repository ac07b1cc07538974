// The completion for fish.
import type { CompletedOption, CompletedValue, Vocabulary } from '../vocabulary.ts';
import { type NamesCommand, placeOptions, rememberedSeconds } from './core.ts';

/** The script. */
export function writeFish({ commands, common }: Vocabulary, names: NamesCommand): string {
  const all = commands.map(({ name }) => name).join(' ');
  const isFirst = `not __fish_seen_subcommand_from ${all}`;
  const lines = commands.flatMap(({ name, description, options, argument }) => {
    const isHere = `__fish_seen_subcommand_from ${name}`;
    return [
      complete(isFirst, `-a ${name} -d ${quote(description)}`),
      ...options.map((option) => complete(isHere, writeOption(option))),
      ...(argument === undefined ? [] : [complete(isHere, writeValue(argument))]),
    ];
  });
  return `# Completes certrelay in fish: npx certrelay completion fish | source
function __certrelay_names
    set -l place
    set -l open ''
    for word in (commandline -opc)
        if test -n "$open"
            set -a place $open $word
            set open ''
        else if contains -- $word ${placeOptions.join(' ')}
            set open $word
        else if string match -qr -- '^(${placeOptions.join('|')})=' $word
            set -a place $word
        end
    end
    set -l now (date +%s)
    if not set -q __certrelay_at; or test $now -ge (math $__certrelay_at + ${rememberedSeconds}); or test "$place" != "$__certrelay_place"
        set -g __certrelay_list (${names.map(quote).join(' ')} $place 2>/dev/null </dev/null)
        set -g __certrelay_at $now
        set -g __certrelay_place "$place"
    end
    printf '%s\\n' $__certrelay_list
end

complete -c certrelay -f
${[...common.map((option) => `complete -c certrelay ${writeOption(option)}`), ...lines].join('\n')}
`;
}

function complete(condition: string, words: string): string {
  return `complete -c certrelay -n ${quote(condition)} ${words}`;
}

function writeOption({ flags, description, value }: CompletedOption): string {
  const spelled = flags.map((flag) =>
    flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`,
  );
  const taken = value === undefined ? [] : value === 'file' ? ['-r -F'] : ['-x', writeValue(value)];
  return [...spelled, ...taken, `-d ${quote(description)}`].filter((part) => part !== '').join(' ');
}

function writeValue(value: CompletedValue): string {
  if (value === 'certificate') return `-a ${quote('(__certrelay_names)')}`;
  if (value === 'file') return '-F';
  return value === 'any' ? '' : `-a ${quote(value.join(' '))}`;
}

/** A text as one word of fish. */
function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
