/** What is never put in front of a model unasked: files of credentials by their name, and texts that hold keys or tokens. */
import { holdsSecretValue } from './secret-values.ts'

/** Judged by name alone, in any folder; examples and public halves are let through. */
const secretNames = [
  /^\.env(rc|[.~_-].*)?$/i,
  /.\.env$/i,
  /^\.(npmrc|pypirc|netrc|pgpass|htpasswd|git-credentials|dockercfg|dockerconfigjson|my\.cnf|dev\.vars.*|vault[-_]pass)$/i,
  /^id_(rsa|dsa|ecdsa|ed25519)(_sk)?(\.(bak|old|orig))?$/i,
  /\.(pem|key|p12|pfx|jks|keystore|kdbx|ppk|asc|gpg)$/i,
  /^(kubeconfig|vault[-_]pass(word)?(\.txt)?)$/i,
  /^(credentials|secrets?)(\.(json|ya?ml|toml|ini|txt))?$/i,
  /^(service[-_]account|client_secret).*\.json$/i,
  /\.tfvars$/i,
  /\.tfstate(\.backup)?$/i,
]
const harmless = /^(\.env\.([\w.-]+\.)?(example|sample|template|dist)|(example|sample|template)\.env)$/i
const secretFolders = /(^|\/)\.(ssh|aws|gnupg|kube|azure|docker)\//i

/** Whether the file at this path (relative, `/`) is taken for a secret. */
export function isSecret(path: string): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1)
  if (secretFolders.test(path)) return true
  return !harmless.test(name) && secretNames.some((pattern) => pattern.test(name))
}

/**
 * Shapes of keys and tokens as their issuers document them; a word like `password` alone is no secret. Each begins with
 * letters that are rare elsewhere, so that a search through ten thousand files costs little.
 */
const secretShapes = [
  /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----/,
  /\bAGE-SECRET-KEY-1[0-9A-Z]{58}\b/,
  // AWS; the second half, too, which has no shape but its name. What its own documents show ends in EXAMPLE.
  /\b(?:AKIA|ASIA)(?![0-9A-Z]{9}EXAMPLE\b)[0-9A-Z]{16}\b/,
  /aws_?secret_?(?:access_?)?key["']?\s{0,4}[:=]>?\s{0,4}["']?(?![\w/+]{30,33}EXAMPLE)[A-Za-z0-9/+]{40}(?![\w/+])/i,
  /\bAccountKey=[A-Za-z0-9+/]{86}==/,
  // GitHub, GitLab, npm, PyPI, Docker, Hugging Face
  /\bgh[pousr]_[A-Za-z0-9]{36,}\b/,
  /\bgithub_pat_[A-Za-z0-9_]{60,}\b/,
  /\bgl(?:pat|ptt|dt|rt|cbt|agent)-[A-Za-z0-9_-]{20,}\b/,
  /\bnpm_[A-Za-z0-9]{36}\b/,
  /:_(?:authToken|auth|password)\s*=\s*["']?(?!npm_?TOKEN)[A-Za-z0-9+/=_-]{20,}/i,
  /\bpypi-[A-Za-z0-9_-]{50,}/,
  /\bdckr_pat_[A-Za-z0-9_-]{27,}/,
  /\bhf_[A-Za-z0-9]{34,}\b/,
  // Slack, Discord, Telegram
  /\bxox[abeoprs](?:\.xox[bp])?-[A-Za-z0-9-]{20,}/,
  /\bxapp-\d-[A-Za-z0-9-]{40,}/,
  /hooks\.slack\.com\/(?:services|workflows|triggers)\/[A-Z0-9]{8,}\/(?:[A-Z0-9]{8,}\/)?[A-Za-z0-9/]{20,}/,
  /discord(?:app)?\.com\/api\/webhooks\/\d{17,20}\/[A-Za-z0-9_-]{60,}/,
  /\b\d{8,10}:AA[A-Za-z0-9_-]{33}\b/,
  // Models
  /\bsk-(?:ant-|proj-|or-)?[A-Za-z0-9_-]{32,}/,
  /\bgsk_[A-Za-z0-9]{52}\b/,
  /\bxai-[A-Za-z0-9]{70,}/,
  /\br8_[A-Za-z0-9]{37}\b/,
  // Payment, mail, clouds and the rest
  /\b[sr]k_(?:live|test)_[A-Za-z0-9]{20,}\b/,
  /\bwhsec_[A-Za-z0-9+/]{32,}/,
  /\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}\b/,
  /\bAIza[0-9A-Za-z_-]{35}\b/,
  /\bGOCSPX-[A-Za-z0-9_-]{28}\b/,
  /\bya29\.[A-Za-z0-9_-]{50,}/,
  /\bdo[opr]_v1_[a-f0-9]{64}\b/,
  /\bhv[sb]\.[A-Za-z0-9_-]{24,}/,
  /\bshp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}\b/,
  /\bdapi[a-f0-9]{32}\b/,
  /\blin_api_[A-Za-z0-9]{40}\b/,
  /\bNRAK-[A-Z0-9]{27}\b/,
  /\bATATT3[A-Za-z0-9_=-]{100,}/,
  /\bfigd_[A-Za-z0-9_-]{40,}/,
  /\bgl(?:sa|c)_[A-Za-z0-9_=]{32,}/,
  // A signed token; the one of jwt.io, which half of the world's documents show, is none.
  /\beyJ[A-Za-z0-9_-]{15,}\.eyJ(?!zdWIiOiIxMjM0NTY3ODkwI)[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{30,}/,
]

/** Whether a text holds something that looks like a key, a token or a password. */
export function holdsSecret(text: string): boolean {
  return secretShapes.some((shape) => shape.test(text)) || holdsSecretValue(text)
}
