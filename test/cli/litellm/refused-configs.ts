/** Configurations that LiteLLM's parser refuses, though they are YAML to others, and what is said of them. */
export const refused: readonly (readonly [what: string, text: string, message: RegExp])[] = [
  ['a tab behind a name', 'a: 1\nb:\t[c]\n', /^line 2, column 3: a tab/],
  ['a tab before a comment', 'a: b\t# c\n', /^line 1, column 5: a tab/],
  ['a tab within a text', 'a: b\tc\n', /^line 1, column 5: a tab/],
  ['a line of a tab', 'a: 1\n\t\nb: 2\n', /^line 2, column 1: a tab/],
  ['a tab within brackets', 'a: [b,\tc]\n', /^line 1, column 7: a tab/],
  ['NUL', 'a: 1\nb: "c\0d"\n', /^line 2, column 6: U\+0000 .* \\u0000 stands/],
  ['a form feed', 'a: 1\n# \f\n', /^line 2, column 3: U\+000C/],
  ['a byte order mark within', 'a: 1\n\ufeff# b\n', /^line 2, column 1: U\+FEFF/],
  ['U+2028 in a text', 'a: b\u2028c # d\n', /^line 1, column 5: U\+2028/],
  ['a list as a name', 'a:\n  ? [b, c]\n  : d\n', /^line 2, column 5: a list or a mapping cannot/],
  [
    'a template',
    'a: {{ value }}\n',
    /^line 1, column 5: .* quote it if it is a text: "\{\{ a \}\}"/,
  ],
  ['no name', 'a:\n  : b\n', /^line 2, column 3: there is no name/],
  ['no name in braces', 'a: {: b}\n', /^line 1, column 5: there is no name/],
  ['an equals sign', 'a: =\n', /^line 1, column 4: "=" has a meaning of its own; quote it/],
  ['the sign of a merge as a value', 'a: <<\n', /^line 1, column 4: "<<" has a meaning/],
  ['a tag of its own', 'a: !mine b\n', /^line 1, column 4: .*!mine/],
  ['a tag on what it is not for', 'a: !!str [b]\n', /^line 1, column 4: .*str/],
  ['an anchor with a dot', 'a: &b.c d\n', /^line 1, column \d: the name of an anchor/],
  ['a question mark in braces', 'a: {b: http://c?d=e}\n', /^line 1, column 8: .*"\?".* quoted/],
];

/** What that parser takes, however it looks. */
export const taken: readonly (readonly [what: string, text: string])[] = [
  ['tabs in comments, in quotes and in blocks', 'a: "\t" # \t\nb: |\n  \tc\nd: \'\t\'\n'],
  ['a question mark in a text of its own', 'a: http://b?c=d\ne: ["f?"]\n'],
  ['tags that it knows', 'a: !!str 1\nb: !!seq [c]\nd: !!map\n  e: 1\n'],
  ['a merge', 'a: &b-1_c {d: 1}\ne:\n  <<: *b-1_c\n'],
  ['signs of other languages', 'a: "ü 🎉 \\u2028"\n'],
  ['a sign of equality in a text', 'a: b=c\n"=": d\n'],
];
