/**
 * Secrets that have no shape of their own: a password in an address, and a value that looks drawn by chance under a name
 * that says what it is. What a document or a test makes up (`changeme`, `<your key>`, `user:pass@localhost`) is none.
 */

/** `scheme://user:password@host`; what is filled in later (`$`, `{`, `<`) is no password. */
const address = /:\/\/([^\s:/@"'`<>(){}$\\]{0,80}):([^\s/@"'`<>(){}$\\]{4,200})@([\w.-]{1,200})/g

/** What a secret is called, and what follows the word in a longer name (`SECRET_KEY_BASE`). */
const word =
  '(?:pass(?:word|wd|phrase|code)?|pwd|secret|token|credential|[_-]key|(?:api|access|auth|account|client|encrypt(?:ion)?|master|private|secret|shared|sign(?:ing)?|storage)key)([\\w-]{0,24})'
/** `: "value"`, `["name"] = 'value'`, `("name", "value")`, `?? "value"`, also inside of a string. */
const quoted =
  '\\\\?["\'`]?\\]?\\s{0,4}(?::=|=>|[=:(,]|\\|\\||\\?\\?)\\s{0,4}\\\\?(["\'`])([^\\s"\'`\\\\<>{}]{8,256})\\\\?\\2'
/** In settings, shells, connection strings and XML: to the end of the line, `;`, `&` or `<`. */
const bare =
  '["\']?(?:[^\\S\\n]{0,4}[:=][^\\S\\n]{0,4}|>)([^\\s"\'`\\\\<>(){},;&]{12,256})(?=[^\\S\\n]*(?:$|[;&<"\'#]))'
const named = new RegExp(`${word}(?:${quoted}|${bare})`, 'gim')
/** Where a name begins that has a bare value. */
const nameBegins = /(?:^|[\n;&?<"']|[^\S\n](?:-D|--)?)$/
const bearer = /\bbearer\s+([\w.~+/-]{20,256}=*)/gi

/** Whether a text holds a password or key by its place rather than by its shape. */
export function holdsSecretValue(text: string): boolean {
  if (text.includes('://'))
    for (const [, user = '', password = '', host = ''] of text.matchAll(address))
      if (isPassword(user, password, host)) return true
  for (const { index, 0: found, 1: suffix = '', 3: inQuotes, 4: toTheEnd = '' } of text.matchAll(named)) {
    const value = inQuotes ?? toTheEnd
    // As tokens they tell one request, page or lock from another.
    if (!isDrawn(value) || (/^token/i.test(found) && uuid.test(value))) continue
    const [name = ''] = /[\w.-]*$/.exec(text.slice(Math.max(0, index - 40), index)) ?? []
    if (publicBefore.test(name) || saidOfIt.test(suffix) || otherWord.test(suffix)) continue
    if (
      inQuotes !== undefined ||
      nameBegins.test(text.slice(Math.max(0, index - name.length - 3), index - name.length))
    )
      return true
  }
  for (const [, value = ''] of text.matchAll(bearer)) if (isDrawn(value)) return true
  return false
}

const publicBefore = /public|csrf|xsrf|next|page|cursor|continuation|sync|cancel/i
/** What is told of a secret rather than the secret itself. */
const saidOfIt =
  /(?:address|id|ids|names?|ur[il]|path|file|folder|dir|types?|fields?|header|env|var|variable|pattern|regexp?|hash|digest|label|prefix|suffix|class|selector|length|placeholder|hint|text|title|message|error|param(?:eter)?|policy|arn|ref|expir\w+|kind|count|size|format|version|provider|manager|service|factory|endpoint|algorithm|scheme|checksum)$/i

const uuid = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i
/** Another word: tokenizer, secretary, passwordless. */
const otherWord = /^(?:i[sz]|ary|less|like)/i

/** Words by which people say that a value is made up. */
const madeUp =
  /example|sample|dummy|fake|mock|test|demo|foo|bar|your|change|replace|insert|placeholder|redacted|invalid|wrong|todo|lorem|ipsum|hello|qwerty|asdf|default|abcdef|012345|123456|987654|a-z|0-9|2YotnFZFEjr1|tGzv3JOkF0XG|(.)\1{3}/i
/** A usual word, or a usual password, with a little behind it. */
const usual =
  /^(?:my|the|super|very|top)?[_-]?(?:p[a@4][s$5]{2}(?:w[o0]?rd)?|pwd|secret|s3cret|s3cr3t|token|key|admin|root|user|postgres|mysql|guest|letmein|welcome)[_-]?\W{0,3}\d{0,4}\W{0,3}$/i

const ownHosts =
  /^(?:localhost|127\.|0\.0\.0\.0|10\.|192\.168\.|(?:[\w.-]+\.)?(?:example(?:\.\w+)?|test|invalid|local|localhost|localdomain)$)/i

/** A drawn password is one on every host; another one only on a host that may be a real one. */
function isPassword(user: string, written: string, host: string): boolean {
  const password = decoded(written)
  if (password.toLowerCase() === user.toLowerCase() || usual.test(password) || /^[%#*x.]+$/i.test(password))
    return false
  if (isDrawn(password)) return true
  const known = host.includes('.') && !ownHosts.test(host)
  return known && password.length >= 6 && !madeUp.test(password) && /\d/.test(password) && /[a-z]/i.test(password)
}

/** Without the `%40` of addresses. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text // no such encoding: it is meant as it stands
  }
}

/** Bits a character that a value of chance has at least, by its length: short ones cannot have more. */
const leastEntropy = (length: number): number => (length < 24 ? 2.7 : 3.1)
/**
 * Digits and letters of a value of chance take turns; words, names and dates are long runs of one of them. A short one without
 * other characters may be a name like `Ec2KeyName`.
 */
const longestMeanRun = (value: string): number => (value.length < 16 && /^[\w./:-]*$/.test(value) ? 2.4 : 3.4)

/** What stands for a value: a member or element of something, a variable of a shell, a name that is no address. */
const reference = /^(?:[a-z_]\w*(?:\.[a-z_]\w*|\[\w+\])+|\$\w+|%\w+%|urn:.*)$/i

/** Whether a value looks drawn by chance: letters and digits mixed, many different ones, and no words. */
export function isDrawn(value: string): boolean {
  if (value.length < 8 || madeUp.test(value) || usual.test(value) || reference.test(value)) return false
  if (!/\d/.test(value) || !/[a-z]/i.test(value) || /[^\x21-\x7e]|\$[{(]|%[sdvq]|:\/\//.test(value)) return false
  const kinds = [/[a-z]/, /[A-Z]/, /\d/, /[^\w./:-]/].filter((kind) => kind.test(value)).length
  // Short ones are passwords: of three kinds of characters; hexadecimal digits alone are one from 16 on.
  if (value.length < 16 && kinds < 3) return false
  const letters = value.replace(/[^A-Za-z\d]/g, '').length
  return entropy(value) >= leastEntropy(value.length) && letters / runs(value) <= longestMeanRun(value)
}

/** Shannon's, in bits a character. */
function entropy(value: string): number {
  const counts = new Map<string, number>()
  for (const one of value) counts.set(one, (counts.get(one) ?? 0) + 1)
  return [...counts.values()].reduce((sum, count) => sum - (count / value.length) * Math.log2(count / value.length), 0)
}

/** Stretches of small letters with the capitals before them, of capitals, and of digits; what stands between divides names, too. */
function runs(value: string): number {
  const pieces = value.match(/[A-Za-z\d]+/g) ?? []
  return pieces.reduce((sum, piece) => sum + (piece.match(/[A-Z]*[a-z]+|[A-Z]+|\d+/g)?.length ?? 1) - 1, 1)
}
