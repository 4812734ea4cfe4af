/** Calls as scripts write them. */
interface Call {
  readonly name: string
  readonly arguments: object
}

export const editCall = (path: string, old: string, text: string): Call => ({
  name: 'edit',
  arguments: { path, old, new: text },
})

export const readCall = (path: string): Call => ({ name: 'read', arguments: { path } })

export const shellCall = (command: string): Call => ({ name: 'shell', arguments: { command } })
