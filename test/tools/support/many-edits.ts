/** One of several sessions in one folder: replaces `<name> 0;` by `<name> 0!` and so on in f.txt. Arguments: root, name, count. */
import { openWorkspace } from '../../../sandbox/index.ts'
import { replaceText } from '../../../tools/edit/replace.ts'
import { changeFiles } from '../../../tools/edit/transaction.ts'
import { openText } from '../../../tools/files.ts'

const [root = '', name = '', count = '0'] = process.argv.slice(2)
const workspace = openWorkspace(root)
for (let i = 0; i < Number(count); i++) {
  await changeFiles({ workspace, signal: new AbortController().signal }, async () => {
    const before = await openText(workspace, 'f.txt')
    const replaced = replaceText(before.text, `${name} ${i};`, `${name} ${i}!`)
    if (!replaced.ok) throw new Error(`${name} ${i}: ${replaced.reason}`)
    return [{ path: 'f.txt', before, text: replaced.text, format: before.format }]
  })
}
