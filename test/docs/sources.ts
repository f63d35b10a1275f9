import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import ts from 'typescript'
import { root, textOf } from './markdown.ts'

/** The agent's own sources. */
export function agentSources(): ts.SourceFile[] {
  return readdirSync(join(root, 'agent'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => parse(join('agent', path)))
}

export function parse(path: string): ts.SourceFile {
  return ts.createSourceFile(path, textOf(path), ts.ScriptTarget.Latest, true)
}

/**
 * Every problem code that a source can give out: what AgentError is made with, what is handed to a parameter
 * named `code` of a function of the same file or of one that it imports from, and the `code` of an object that has a
 * `fix`, or of a preflight rule.
 */
export function problemCodes(source: ts.SourceFile): string[] {
  const codeParameters = new Map([
    ...importsOf(source).flatMap(codeParametersOf),
    ...codeParametersOf(source),
  ])
  const found: string[] = []
  visit(source, (node) => {
    if (ts.isNewExpression(node) && nameOf(node.expression) === 'AgentError')
      found.push(...literals(node.arguments?.[0]))
    if (ts.isCallExpression(node)) {
      const index = isSuperOfAgentError(node) ? 0 : codeParameters.get(nameOf(node.expression))
      if (index !== undefined) found.push(...literals(node.arguments[index]))
    }
    if (ts.isObjectLiteralExpression(node) && (property(node, 'fix') ?? property(node, 'about')))
      found.push(...literals(property(node, 'code')))
  })
  return found
}

/** Functions of a source that take a problem code, and at which place. */
function codeParametersOf(source: ts.SourceFile): [string, number][] {
  const found: [string, number][] = []
  visit(source, (node) => {
    if (!ts.isFunctionDeclaration(node) || !node.name) return
    const index = node.parameters.findIndex(({ name }) => ts.isIdentifier(name) && name.text === 'code')
    if (index >= 0) found.push([node.name.text, index])
  })
  return found
}

/** The agent's own files that a source imports from. */
function importsOf(source: ts.SourceFile): ts.SourceFile[] {
  return source.statements
    .filter(ts.isImportDeclaration)
    .flatMap(({ moduleSpecifier }) => literals(moduleSpecifier))
    .filter((path) => path.startsWith('.'))
    .map((path) => parse(join(dirname(source.fileName), path)))
}

/** Codes that the process ends with beside the command's own: constants given to `process.exit`. */
export function exitConstants(source: ts.SourceFile): number[] {
  const names: string[] = []
  const values = new Map<string, number>()
  visit(source, (node) => {
    if (ts.isCallExpression(node) && node.expression.getText() === 'process.exit')
      names.push(...node.arguments.map((argument) => argument.getText()))
    if (ts.isVariableDeclaration(node) && node.initializer && ts.isNumericLiteral(node.initializer))
      values.set(node.name.getText(), Number(node.initializer.text))
  })
  return names.flatMap((name) => values.get(name) ?? [])
}

/** Names of all properties in the interfaces of a source, those of inline types included. */
export function propertyNames(source: ts.SourceFile): string[] {
  const found: string[] = []
  for (const statement of source.statements.filter(ts.isInterfaceDeclaration))
    visit(statement, (node) => {
      if (ts.isPropertySignature(node)) found.push(node.name.getText())
    })
  return found
}

/** The environment variables that a source reads. */
export function environmentVariables(source: ts.SourceFile): string[] {
  const found: string[] = []
  visit(source, (node) => {
    if (ts.isElementAccessExpression(node) && node.expression.getText() === 'process.env')
      found.push(...literals(node.argumentExpression))
  })
  return found
}

function visit(node: ts.Node, look: (node: ts.Node) => void): void {
  look(node)
  ts.forEachChild(node, (child) => {
    visit(child, look)
  })
}

function literals(node: ts.Node | undefined): string[] {
  const found: string[] = []
  if (node)
    visit(node, (inner) => {
      if (ts.isStringLiteralLike(inner)) found.push(inner.text)
    })
  return found
}

function nameOf(node: ts.Expression): string {
  return ts.isIdentifier(node) ? node.text : ''
}

function property(node: ts.ObjectLiteralExpression, name: string): ts.Node | undefined {
  return node.properties.find((one) => one.name?.getText() === name)
}

function isSuperOfAgentError(node: ts.CallExpression): boolean {
  if (node.expression.kind !== ts.SyntaxKind.SuperKeyword) return false
  let parent: ts.Node = node
  while (!ts.isClassLike(parent)) parent = parent.parent
  return (parent.heritageClauses ?? []).some((clause) => /\bAgentError\b/.test(clause.getText()))
}
