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
