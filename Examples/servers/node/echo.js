// An echo server on Node.js: echo.js PORT [WORKERS]
//
// Several workers are processes of the module cluster, whose first process accepts and hands the connections out. pipe
// stops reading while the socket does not take what was read.
'use strict'
const cluster = require('node:cluster')
const net = require('node:net')

const port = Number(process.argv[2])
const workers = Number(process.argv[3] ?? 1)
if (!(port >= 1 && port <= 65535 && workers >= 1)) {
  console.error('usage: echo.js PORT [WORKERS]')
  process.exit(64)
}

if (workers > 1 && cluster.isPrimary) {
  for (let i = 0; i < workers; i++) cluster.fork()
  cluster.on('exit', (worker, code) => process.exit(code || 1))
} else {
  const server = net.createServer({ noDelay: true }, socket => {
    socket.on('error', () => socket.destroy())
    socket.pipe(socket)
  })
  server.on('error', error => {
    console.error(`node: ${error.message}`)
    process.exit(1)
  })
  server.listen({ port, host: '127.0.0.1', backlog: 4096 })
}
