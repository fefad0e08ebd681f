// Logging out: what this browser keeps of chats goes; what one wrote, and nobody has yet, stays.

/** Sends the form that logs out. */
export async function leave(form, userId) {
  await Promise.race([forgetRooms(userId), new Promise((resolve) => setTimeout(resolve, 1000))]);
  form.submit();
}

/** As keep.js keeps them; it can't be used on pages without chats. */
function forgetRooms(userId) {
  return new Promise((resolve) => {
    const request = indexedDB.open("chat");
    request.onupgradeneeded = () => request.transaction.abort(); // there is none: none is to be made
    request.onerror = resolve;
    request.onsuccess = () => {
      const transaction = request.result.transaction("rooms", "readwrite");
      transaction.objectStore("rooms").delete(IDBKeyRange.bound([userId], [userId, []]));
      transaction.oncomplete = transaction.onabort = resolve;
    };
  }).catch(() => {});
}
