/** Files that are never put in front of a model unasked: they hold credentials. */

/** Judged by name alone, in any folder; examples and public halves are let through. */
const secretNames = [
  /^\.env(\..+)?$/i,
  /^\.(npmrc|pypirc|netrc|pgpass|htpasswd|git-credentials|dockercfg)$/i,
  /^id_(rsa|dsa|ecdsa|ed25519)(_sk)?$/i,
  /\.(pem|key|p12|pfx|jks|keystore|kdbx|ppk|asc|gpg)$/i,
  /^(credentials|secrets?)(\.(json|ya?ml|toml|ini|txt))?$/i,
  /^(service[-_]account|client_secret).*\.json$/i,
  /\.tfvars$/i,
  /\.tfstate(\.backup)?$/i,
]
const harmless = /^\.env\.(example|sample|template|dist)$/i
const secretFolders = /(^|\/)\.(ssh|aws|gnupg|kube|azure|docker)\//i

/** Whether the file at this path (relative, `/`) is taken for a secret. */
export function isSecret(path: string): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1)
  if (secretFolders.test(path)) return true
  return !harmless.test(name) && secretNames.some((pattern) => pattern.test(name))
}
