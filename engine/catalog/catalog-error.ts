/** Why there is no such model here. `message` says what happened and the command that fixes it. */
export class CatalogError extends Error {
  override readonly name = 'CatalogError'
  readonly kind:
    | 'unknown-model'
    | 'not-on-disk'
    | 'unknown-dialect'
    | 'name-taken'
    | 'bad-name'
    | 'not-a-model'
    | 'beyond-engine'
  constructor(kind: CatalogError['kind'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.kind = kind
  }
}
