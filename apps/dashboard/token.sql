-- Who shows the token of this digest, and every shop of their seller: all that a call needs to know, in one question.
select
    token.id, token.scope, token.used_at, member.id, member.role, member.seller_id, member.active_shop_id,
    person.id, person.language,
    (
        select coalesce(json_agg(json_build_array(shop.id, shop.currency, shop.timezone, shop.is_active) order by shop.id), '[]')
        from shops_shop shop
        where shop.seller_id = member.seller_id
    )
from dashboard_apitoken token
join shops_member member on member.id = token.member_id
join shops_person person on person.id = member.person_id
join auth_user login on login.id = person.user_id
where token.digest = %(digest)s and token.revoked_at is null and token.expires_at > %(now)s and login.is_active
