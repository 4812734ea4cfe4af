import { describe, expect, test } from 'vitest'
import { holdsSecret, isSecret } from '../../../agent/context/secrets.ts'

/** Put together here, so that no scanner takes this file for a leak. */
const letters = 'a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0u1V2w3X4y5Z6'.repeat(4)
const of = (count: number): string => letters.slice(0, count)
const hex = (count: number): string => '0a1b2c3d4e5f6789'.repeat(8).slice(0, count)
const capitals = (count: number): string => of(count * 2).replace(/[a-z]/g, '')

describe('texts', () => {
  test.each([
    ['AWS key', `${'AKIA'}${capitals(16).slice(0, 16)}`],
    ['AWS secret', `aws_secret_access_key = "${of(40)}"`],
    ['AWS secret in a shell', `export AWS_SECRET_ACCESS_KEY=${of(40)}`],
    ['AWS secret in JSON', `{"SecretAccessKey": "x", "awsSecretAccessKey": "${of(40)}"}`],
    ['Azure storage', `DefaultEndpointsProtocol=https;AccountName=x;AccountKey=${of(86)}==`],
    ['GitHub', `ghp_${of(36)}`],
    ['GitHub, fine-grained', `github_pat_${of(22)}_${of(59)}`],
    ['GitLab', `glpat-${of(20)}`],
    ['npm', `npm_${of(36)}`],
    ['npm in a file of settings', `//registry.npmjs.org/:_authToken=${of(36)}`],
    ['PyPI', `pypi-AgEIcHlwaS5vcmc${of(70)}`],
    ['Docker', `dckr_pat_${of(27)}`],
    ['Slack bot', `xoxb-123456789012-123456789012-${of(24)}`],
    ['Slack app', `xapp-1-A0123456789-1234567890123-${hex(64)}`],
    ['Slack webhook', `https://hooks.slack.com/services/T0ABCDEFG/B0ABCDEFG/${of(24)}`],
    ['Discord webhook', `https://discord.com/api/webhooks/123456789012345678/${of(68)}`],
    ['Telegram', `123456789:AA${of(33)}`],
    ['OpenAI', `sk-proj-${of(80)}`],
    ['Anthropic', `sk-ant-api03-${of(90)}`],
    ['Stripe', `sk_live_${of(24)}`],
    ['Stripe webhook', `whsec_${of(32)}`],
    ['SendGrid', `SG.${of(22)}.${of(43)}`],
    ['Google', `AIza${of(35)}`],
    ['Google OAuth', `GOCSPX-${of(28)}`],
    ['Vault', `hvs.${of(24)}`],
    ['DigitalOcean', `dop_v1_${hex(64)}`],
    ['signed token', `eyJhbGciOiJIUzI1NiJ9.eyJ${of(30)}.${of(43)}`],
    ['private key', '-----BEGIN OPENSSH PRIVATE KEY-----'],
    ['private key in one line', '"private_key": "-----BEGIN PRIVATE KEY-----\\nMIIE"'],
  ])('%s', (_, text) => expect(holdsSecret(`const a = 1\nconst b = '${text}'\n`)).toBe(true))

  test.each([
    'Set AWS_SECRET_ACCESS_KEY=<your key> and DATABASE_URL=postgres://user:password@localhost/db',
    'aws_access_key_id = AKIAIOSFODNN7EXAMPLE',
    'aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
    'SECRET_KEY = os.environ["SECRET_KEY"]; password = "changeme"; token = get_token()',
    'export const shape = /AKIA[0-9A-Z]{16}/',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: what such a file says
    '//registry.npmjs.org/:_authToken=${NPM_TOKEN}',
    '//registry.npmjs.org/:_authToken=NPM_TOKEN_OF_THE_PIPELINE',
    'sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIn0.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c',
    'task-management-system-with-a-very-long-name-of-its-own risk-assessment',
    'import { readFileSync } from "node:fs"',
  ])('none: %s', (text) => expect(holdsSecret(text)).toBe(false))
})

describe('values under a name, and passwords in addresses', () => {
  const drawn = 'q8Wm2Zx7Lk4Vb9Nt6Rc3'
  const hexes = '9f8e7d6c5b4a39281706f5e4d3c2b1a0'
  const phrase = 'Xk9mP2vL5nQ8'
  test.each([
    `postgres://app:S3cr3tP4ss@db.acme.io:5432/prod`,
    `mysql://svc:${phrase}@10.0.0.4/db`,
    `https://bot:${hexes}@git.corp.io/x.git`,
    `redis://:${phrase}@cache:6379`,
    `amqp://svc:Xk9%23mP2vL5n@mq.acme.io`,
    `jdbc:mysql://h/db?user=a&password=${phrase}r`,
    `api_key: "${hexes}"`,
    `api_key: ${hexes}`,
    `{\\"apiKey\\": \\"${drawn}\\"}`,
    `SECRET_KEY = "8x#k2m@q9v!w3z^p(r&t7y*u1io4a6s"`,
    `password = "Tr0ub4dor&3"`,
    `{"password": "Xk9#mP2vL5n"}`,
    `const CLIENT_SECRET = \`${drawn}\``,
    `DB_PASSWORD=${phrase}`,
    `ENV SECRET_KEY_BASE=${hexes}`,
    `<password>${phrase}</password>`,
    `"Server=db;User Id=sa;Password=${phrase};"`,
    `curl -H "Authorization: Bearer ${drawn}" --token=${drawn}`,
    `config["secret_key"] = "${drawn}"`,
    `process.env.API_KEY ?? "${drawn}"`,
    `os.environ.get("SECRET_KEY", "${drawn}")`,
    `token := "${drawn}"`,
    `export STRIPE_KEY="${drawn}"`,
    `api_key: "f47ac10b-58cc-4372-a567-0e02b2c3d479"`,
  ])('%s', (text) => expect(holdsSecret(`a: 1\n${text}\nb: 2\n`)).toBe(true))

  test.each([
    'password = "password"; passphrase = "Passw0rd!"; pwd = "changeme-2024"',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: what such files say
    'password: "${PASSWORD_2}"\nAPI_KEY={{ secrets.API_KEY2 }}\nPASSWORD: ${{ secrets.DB_PASSWORD_2 }}\nDB_PASS=%DB_PASS_1%',
    'SECRET_KEY = os.environ["SECRET_KEY"]\ntoken = start_path[0]\npassword: getPassword2()',
    'api_key: "<your key>"; api_key = "xxxxxxxxxxxxxxxxxxx1"; api_key = "your-api-key-here-1234"',
    'postgres://user:pass@localhost, https://username:password@example.com, redis://:password@redis:6379/0',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: what such files say
    'https://${user}:${token}@github.com postgres://$USER:$PASS@host/db postgres://postgres:postgres@db:5432/app',
    'https://user:abc123@sub.example.com http://[::1]:8080/@foo https://a.b/c:d1@e.f',
    'const tokenType = "access_token_v2x9Q"; nextPageToken: "CAUQAA1b2c3d4e5f6g7"; csrfToken = "aB3dE5fG7hJ9kL1mN3pQ5rS7"',
    'PublicKeyToken=b77a5c561934e089',
    'tokenizer: "TheBloke/x-7b-v1.5-Q4_K_M"; secretName = "prod/app/db1"; key: "q8Wm2Zx7Lk4Vb9Nt6Rc3"',
    `keyName('#password', 'input.password-input-2'); dest_key='Ec2KeyName'`,
    '"LockToken": "0bc01e21-03c9-4b98-9433-6229cbf1ef1c"',
    'let BARE_KEY = /^[a-z0-9-_]+$/i',
    '"--api-token": "--p2p-token"; "/api/p2p/token"; token = "/api/p2p/token"',
  ])('none: %s', (text) => expect(holdsSecret(`a: 1\n${text}\nb: 2\n`)).toBe(false))

  test('a text that is made to be slow is judged at once', () => {
    const began = performance.now()
    for (const text of [
      'password'.repeat(40_000),
      `token${'-'.repeat(300_000)}`,
      `://${':a'.repeat(150_000)}`,
      '="'.repeat(150_000),
    ])
      holdsSecret(text)
    expect(performance.now() - began).toBeLessThan(4000)
  })
})

describe('names', () => {
  test.each([
    '.envrc',
    '.env~',
    '.env.local.bak',
    'prod.env',
    'deploy/secrets.env',
    '.dev.vars',
    'id_rsa.bak',
    'kubeconfig',
  ])('%s is a secret', (path) => expect(isSecret(path)).toBe(true))
  test.each(['.env.example', '.env.local.example', 'example.env', '.environment.ts', 'src/env.ts', '.envelope', 'env'])(
    '%s is none',
    (path) => expect(isSecret(path)).toBe(false),
  )
})
