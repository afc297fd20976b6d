// Node's basic-ftp as a program: node basic-ftp.cjs HOST PORT USER PASSWORD CERTIFICATE|"" tree|resume|upload|complete FOLDER
// NODE_PATH names the folder that tests/testbed/basic-ftp prints.
const fs = require("fs")
const { Client } = require("basic-ftp")

const [host, port, user, password, certificate, verb, folder] = process.argv.slice(2)
const verbs = {
    tree: client => client.downloadToDir(folder),
    resume: client => client.downloadTo(`${folder}/medio.bin`, "medio.bin", fs.statSync(`${folder}/medio.bin`).size),
    complete: async client => client.appendFrom(`${folder}/medio.bin`, "corte/medio.bin", { localStart: await client.size("corte/medio.bin") }),
    upload: client => client.uploadFromDir(folder, "subida"),
}

async function main() {
    const client = new Client(60000)
    try {
        await client.access({
            host, port: Number(port), user, password, secure: certificate !== "",
            secureOptions: certificate ? { ca: fs.readFileSync(certificate), host } : undefined,
        })
        await verbs[verb](client)
    } finally {
        client.close()
    }
}

main().catch(error => {
    console.error(error)
    process.exit(1)
})
