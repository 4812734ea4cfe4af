// The one-way doors of docs/architecture.md: src → agent → tools → sandbox, and agent → engine.
// A room's face is its index.ts; other rooms import the face only.
const rooms = ['src', 'agent', 'tools', 'engine', 'sandbox']
const mayImport = {
  src: ['agent', 'tools', 'engine', 'sandbox'],
  agent: ['tools', 'engine', 'sandbox'],
  tools: ['sandbox'],
  engine: [],
  sandbox: [],
}

const doors = rooms.map((room) => ({
  name: `door-${room}`,
  comment: `${room} may import only: ${mayImport[room].join(', ') || 'nothing of ours'}`,
  severity: 'error',
  from: { path: `^${room}/` },
  to: { path: `^(${rooms.filter((r) => r !== room && !mayImport[room].includes(r)).join('|') || 'none'})/` },
}))

const faces = rooms.map((room) => ({
  name: `face-${room}`,
  comment: `other rooms import ${room}/index.ts only`,
  severity: 'error',
  from: { path: `^(${rooms.filter((r) => r !== room).join('|')})/` },
  to: { path: `^${room}/`, pathNot: `^${room}/index\\.ts$` },
}))

module.exports = {
  forbidden: [
    ...doors,
    ...faces,
    {
      name: 'no-circular',
      comment: 'of types neither: what two files need lies in a third',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-test-code',
      comment: 'the program never imports its tests',
      severity: 'error',
      from: { path: `^(${rooms.join('|')})/` },
      to: { path: '^(test|scripts)/' },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { extensions: ['.ts', '.tsx', '.js', '.json'] },
  },
}
