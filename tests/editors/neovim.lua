-- Opens a file, types, and prints what is shown: driven by tests/it/editors.rs.
local function wait(what, holds)
  if not vim.wait(120000, holds, 20) then
    print("gave up waiting for " .. what)
    vim.cmd("cquit")
  end
end

vim.cmd("edit src/app.py")
wait("the client", function()
  return #vim.lsp.buf_get_clients(0) > 0
end)
vim.api.nvim_buf_set_lines(0, 0, -1, false, { "import os", "s = '日本'; x = undefined" })
wait("diagnostics", function()
  local sources = {}
  for _, found in ipairs(vim.diagnostic.get(0)) do
    sources[found.source] = true
  end
  return sources.flake8 and sources.black
end)
for _, found in ipairs(vim.diagnostic.get(0)) do
  print(string.format("%s %d:%d %s", found.source, found.lnum + 1, found.col + 1, found.code))
end
vim.cmd("write")
print(table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), "|"))
vim.cmd("qall!")
